// The gated activation and its gradient on TensorFlow; `ops/swiglu.ts` says what they compute.
import { kernelOf } from './operations.js';

/** `gateUp -> output`, and with the attribute `differentiated` the derivatives `byGate, byUp`. */
export const gatedActivation = kernelOf((run, inputs, { differentiated }) => {
  const [gateUp] = run.inputs(inputs, ['gateUp']);
  const [gate, up] = run.halves(gateUp);
  const sigmoid = run.sigmoid(gate);
  const silu = run.multiply(gate, sigmoid);
  const output = run.multiply(silu, up);
  if (differentiated !== true) return [output];
  // d silu = sigmoid + gate * sigmoid * (1 - sigmoid)
  const slope = run.add(sigmoid, run.sigmoidGradient(sigmoid, gate));
  return [output, run.multiply(up, slope), silu];
});

/** `dOutput, byGate, byUp -> dGateUp` */
export const gatedActivationGradient = kernelOf((run, inputs) => {
  const [dOutput, byGate, byUp] = run.inputs(inputs, ['dOutput', 'byGate', 'byUp']);
  return [run.join([run.multiply(dOutput, byGate), run.multiply(dOutput, byUp)])];
});
