// SwiGLU and its gradient for the wasm backend; `ops/swiglu.ts` says what they compute.
import type * as tf from '@tensorflow/tfjs';
import { inputOf } from '../kernel-arguments.js';
import { heapKernels } from './heap-kernels.js';
import { address, asWasmEngine, requireFloats } from './wasm-engine.js';

/** `gateUp [rows, 2 * size] -> [rows, size]` */
export const gatedActivation: tf.KernelFunc = ({ inputs, backend }) => {
  const engine = asWasmEngine(backend);
  const gateUp = inputOf(inputs, 'gateUp');
  requireFloats(gateUp);
  const [rows, size] = [gateUp.shape[0]!, gateUp.shape[1]! / 2];
  const output = engine.makeOutput([rows, size], 'float32');
  const [gateUpAt, outputAt] = address(engine, gateUp, output);
  heapKernels(engine).gatedActivation(gateUpAt, outputAt, rows, size);
  return output;
};

/** `dOutput [rows, size], gateUp [rows, 2 * size] -> [rows, 2 * size]` */
export const gatedActivationGradient: tf.KernelFunc = ({ inputs, backend }) => {
  const engine = asWasmEngine(backend);
  const [dOutput, gateUp] = [inputOf(inputs, 'dOutput'), inputOf(inputs, 'gateUp')];
  requireFloats(dOutput, gateUp);
  const dGateUp = engine.makeOutput(gateUp.shape, 'float32');
  const [dOutputAt, gateUpAt, dGateUpAt] = address(engine, dOutput, gateUp, dGateUp);
  heapKernels(engine).gatedActivationBack(dOutputAt, gateUpAt, dGateUpAt, gateUp.shape[0]!, gateUp.shape[1]! / 2);
  return dGateUp;
};
