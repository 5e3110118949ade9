// Rotary position embedding for the wasm backend, forwards and backwards; `ops/rotary.ts` says what it computes.
import type * as tf from '@tensorflow/tfjs';
import { inputOf, switchOf } from '../kernel-arguments.js';
import { heapKernels } from './heap-kernels.js';
import { address, asWasmEngine, requireFloats } from './wasm-engine.js';

/** `x [batch, heads, tokens, size], cos, sin [batch or 1, 1, tokens, size] -> [batch, heads, tokens, size]` */
export const rotate: tf.KernelFunc = ({ inputs, backend, attrs }) => {
  const engine = asWasmEngine(backend);
  const [x, cos, sin] = [inputOf(inputs, 'x'), inputOf(inputs, 'cos'), inputOf(inputs, 'sin')];
  requireFloats(x, cos, sin);
  const [batch, heads, tokens, size] = x.shape as [number, number, number, number];
  const y = engine.makeOutput(x.shape, 'float32');
  const [xAt, yAt, cosAt, sinAt] = address(engine, x, y, cos, sin);
  const kernels = heapKernels(engine);
  const bytes = 4 * tokens * size;
  for (let head = 0; head < batch * heads; head++) {
    const factors = cos.shape[0] === 1 ? 0 : bytes * Math.floor(head / heads);
    const offset = bytes * head;
    kernels.rotate(xAt + offset, yAt + offset, cosAt + factors, sinAt + factors, tokens, size, switchOf(attrs, 'back'));
  }
  return y;
};
