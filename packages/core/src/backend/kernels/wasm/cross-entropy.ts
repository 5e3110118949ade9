// Cross entropy of labelled rows for the wasm backend, in the place of the logits; `ops/token-loss.ts` says what it computes.
import type * as tf from '@tensorflow/tfjs';
import { inputOf } from '../kernel-arguments.js';
import { heapKernels, withRoom } from './heap-kernels.js';
import { address, asWasmEngine, int32View, requireFloats } from './wasm-engine.js';

/**
 * `logits [rows, vocabulary], labels [rows] -> loss, dLogits`: the sum of -log p(label), and its gradient, which takes the
 * place of the logits: they must not be used any more.
 */
export const crossEntropy: tf.KernelFunc = ({ inputs, backend }) => {
  const engine = asWasmEngine(backend);
  const [logits, labels] = [inputOf(inputs, 'logits'), inputOf(inputs, 'labels')];
  requireFloats(logits);
  const [rows, vocabulary] = logits.shape as [number, number];
  for (const label of int32View(engine, labels)) {
    if (label >= 0 && label < vocabulary) continue;
    throw new Error(`the label ${label} is not in 0 … ${vocabulary - 1}`);
  }
  let total = 0;
  withRoom(engine, 8 * rows, (room) => {
    heapKernels(engine).crossEntropy(...address(engine, logits, labels), room, rows, vocabulary);
    const parts = new Float32Array(engine.wasm.HEAPU8.buffer, room, 2 * rows);
    for (let row = 0; row < rows; row++) total += Math.log(parts[2 * row + 1]!) - parts[2 * row]!;
  });
  const loss = engine.makeOutput([], 'float32', undefined, Float32Array.of(total));
  engine.incRef(logits.dataId);
  return [loss, { dataId: logits.dataId, shape: logits.shape, dtype: logits.dtype }];
};
