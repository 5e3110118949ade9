// Root-mean-square norm and its gradients for the wasm backend; `ops/rms-norm.ts` says what they compute.
import * as tf from '@tensorflow/tfjs';
import { inputOf, numberOf } from '../kernel-arguments.js';
import { heapKernels } from './heap-kernels.js';
import { address, asWasmEngine, requireFloats } from './wasm-engine.js';

/** Rows and their size. */
function sizesOf({ shape }: tf.TensorInfo): [rows: number, size: number] {
  return [tf.util.sizeFromShape(shape.slice(0, -1)), shape.at(-1)!];
}

/** `x, weight -> output, inverse` */
export const normalize: tf.KernelFunc = ({ inputs, backend, attrs }) => {
  const engine = asWasmEngine(backend);
  const [x, weight] = [inputOf(inputs, 'x'), inputOf(inputs, 'weight')];
  requireFloats(x, weight);
  const output = engine.makeOutput(x.shape, 'float32');
  const inverse = engine.makeOutput([...x.shape.slice(0, -1), 1], 'float32');
  const [xAt, weightAt, outputAt, inverseAt] = address(engine, x, weight, output, inverse);
  heapKernels(engine).normalize(xAt, weightAt, outputAt, inverseAt, ...sizesOf(x), numberOf(attrs, 'epsilon'));
  return [output, inverse];
};

/** `dOutput, x, inverse, weight -> dx` */
export const normalizeGradient: tf.KernelFunc = ({ inputs, backend }) => {
  const engine = asWasmEngine(backend);
  const [dOutput, x] = [inputOf(inputs, 'dOutput'), inputOf(inputs, 'x')];
  const [inverse, weight] = [inputOf(inputs, 'inverse'), inputOf(inputs, 'weight')];
  requireFloats(dOutput, x, inverse, weight);
  const dx = engine.makeOutput(x.shape, 'float32');
  const [dOutputAt, xAt, inverseAt, weightAt, dxAt] = address(engine, dOutput, x, inverse, weight, dx);
  heapKernels(engine).normalizeBack(dOutputAt, xAt, inverseAt, weightAt, dxAt, ...sizesOf(x));
  return dx;
};

/** `dOutput, x, inverse -> dWeight` */
export const normalizeWeightGradient: tf.KernelFunc = ({ inputs, backend }) => {
  const engine = asWasmEngine(backend);
  const [dOutput, x, inverse] = [inputOf(inputs, 'dOutput'), inputOf(inputs, 'x'), inputOf(inputs, 'inverse')];
  requireFloats(dOutput, x, inverse);
  const dWeight = engine.makeOutput([x.shape.at(-1)!], 'float32');
  const [dOutputAt, xAt, inverseAt, dWeightAt] = address(engine, dOutput, x, inverse, dWeight);
  heapKernels(engine).normalizeWeightBack(dOutputAt, xAt, inverseAt, dWeightAt, ...sizesOf(x));
  return dWeight;
};
