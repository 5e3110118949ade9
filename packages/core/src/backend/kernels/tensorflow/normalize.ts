// RMS norm and its gradient on TensorFlow; `ops/rms-norm.ts` says what they compute.
import { numberOf } from '../kernel-arguments.js';
import { kernelOf } from './operations.js';

/** `x, weight -> output, inverse` */
export const normalize = kernelOf((run, inputs, attributes) => {
  const [x, weight] = run.inputs(inputs, ['x', 'weight']);
  const meanSquare = run.mean(run.square(x));
  const inverse = run.reciprocalRoot(run.add(meanSquare, run.scalar(numberOf(attributes, 'epsilon'))));
  return [run.multiply(run.multiply(x, inverse), weight), inverse];
});

/** `dOutput, x, inverse, weight -> dX` */
export const normalizeGradient = kernelOf((run, inputs) => {
  const [dOutput, x, inverse, weight] = run.inputs(inputs, ['dOutput', 'x', 'inverse', 'weight']);
  const dNormal = run.multiply(dOutput, weight);
  const projection = run.multiply(run.mean(run.multiply(dNormal, x)), run.square(inverse));
  return [run.multiply(inverse, run.subtract(dNormal, run.multiply(x, projection)))];
});
