// The gated activation and its gradient on TensorFlow; `ops/swiglu.ts` says what they compute.
import { kernelOf } from './operations.js';

/** `gateUp -> output, gate, up` */
export const gatedActivation = kernelOf((run, inputs) => {
  const [gateUp] = run.inputs(inputs, ['gateUp']);
  const [gate, up] = run.halves(gateUp);
  return [run.multiply(run.multiply(gate, run.sigmoid(gate)), up), gate, up];
});

/** `dOutput, gate, up -> dGateUp` */
export const gatedActivationGradient = kernelOf((run, inputs) => {
  const [dOutput, gate, up] = run.inputs(inputs, ['dOutput', 'gate', 'up']);
  const sigmoid = run.sigmoid(gate);
  // d silu = sigmoid + gate * sigmoid * (1 - sigmoid)
  const slope = run.add(sigmoid, run.sigmoidGradient(sigmoid, gate));
  const dGate = run.multiply(run.multiply(dOutput, up), slope);
  return [run.join([dGate, run.multiply(dOutput, run.multiply(gate, sigmoid))])];
});
