// Which step decoder, if any, computes the tokens of a generation.
import { availableParallelism, freemem } from 'node:os';
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { nativeKernels } from '../backend/native/native-kernels.js';
import { joinsVectors } from '../backend/web-assembly.js';
import type { Decoder } from '../model/decoder.js';
import { isTrainable } from '../ops/trainable.js';
import { StepDecoder, type MatrixSource } from '../step-decoder/index.js';

/**
 * How new tokens are computed:
 * - `"step"`: by a step decoder, the fastest way for few rows. It keeps a second copy of the weights (in bfloat16 where
 *   that is exact) and needs a few seconds to make it, once for each reasoner. TensorFlow on the processor multiplies for
 *   it where there are many columns, or always where there is no room for a copy;
 * - `"backend"`: on the backend;
 * - `"auto"`: `"step"` if the weights are frozen, there are at most {@link mostStepRows} rows and a copy takes at most a
 *   quarter of the free memory.
 */
export type DecodingMode = 'auto' | 'step' | 'backend';

/** With more rows than this, attention row by row takes longer than all of them at once on a backend. */
const mostStepRows = 64;
/** With more columns than this TensorFlow reads them faster by itself than when its products only are borrowed. */
const mostBorrowedColumns = 256;
/** With more processors TensorFlow's threads are more than those of a step decoder. */
const mostProcessors = 8;

/** Whether the kernels are as fast as TensorFlow's products: there is nothing to borrow them for. */
function kernelsAreWide(): boolean {
  return (joinsVectors() || nativeKernels() !== undefined) && availableParallelism() <= mostProcessors;
}

/**
 * Whether a step decoder reads the first columns of a batch faster than the current backend: its kernels use all processors,
 * those of the wasm and cpu backends one; few columns are hardly worth TensorFlow's many operations, and where the kernels have
 * long vectors many are not either. In a worker thread, where the kernels use one too, the answer is the same, for the
 * results to be so to the bit.
 */
export function stepsReadPromptsFaster(model: Decoder, columns: number): boolean {
  const inBfloat16 = model.weights.layers[0]?.queryKeyValue.bfloat16 !== undefined;
  if (StepDecoder.borrows()) return columns <= mostBorrowedColumns || (kernelsAreWide() && !inBfloat16);
  return ['wasm', 'cpu'].includes(tf.getBackend()) && availableParallelism() > 1;
}

const made = new WeakMap<Decoder, Promise<StepDecoder>>();

/**
 * The step decoder of a model for so many rows, made at the first call and disposed with the model.
 * @throws MemGenError `decoding` for `"step"` with weights in training, `step-decoder-memory` when it does not fit.
 */
export async function stepDecoderOf(
  model: Decoder,
  mode: DecodingMode,
  rows: number,
): Promise<StepDecoder | undefined> {
  if (mode === 'backend' || (mode === 'auto' && rows > mostStepRows)) return undefined;
  const { finalNorm, head } = model.weights;
  if (isTrainable(finalNorm) || isTrainable(head)) {
    if (mode === 'auto') return undefined;
    throw new MemGenError({
      code: 'decoding',
      message: 'a step decoder copies weights, so they must be frozen',
      got: 'weights in training',
      hint: 'use the decoding "backend"',
    });
  }
  const existing = made.get(model);
  if (existing !== undefined) return existing;
  const borrows = StepDecoder.borrows();
  const preferred = borrows && !kernelsAreWide() ? 'both' : 'copied';
  const hasRoom = StepDecoder.memoryNeeded(model.config) <= freemem() / 4;
  if (!hasRoom && !borrows && mode === 'auto') return undefined;
  const decoder = create(model, hasRoom || !borrows ? preferred : 'borrowed');
  made.set(model, decoder);
  return decoder;
}

function create(model: Decoder, matrices: MatrixSource): Promise<StepDecoder> {
  const decoder = StepDecoder.create(model, { matrices });
  decoder.catch(() => made.delete(model));
  model.onDispose(() => {
    void decoder.then(
      (created) => {
        created.dispose();
      },
      () => undefined,
    );
  });
  return decoder;
}
