// Which step decoder, if any, computes the tokens of a generation.
import { availableParallelism, freemem } from 'node:os';
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { Decoder } from '../model/decoder.js';
import { isTrainable } from '../ops/trainable.js';
import { StepDecoder, type StepDecoderOptions } from '../step-decoder/index.js';

/**
 * How new tokens are computed:
 * - `"step"`: by a step decoder, the fastest way for few rows. It keeps a second copy of the weights (in bfloat16 where
 *   that is exact) and needs a few seconds to make it, once for each reasoner. With TensorFlow on the processor it does
 *   without the copy for more than a few rows, or where there is no room for it;
 * - `"backend"`: on the backend;
 * - `"auto"`: `"step"` if the weights are frozen, there are at most {@link mostStepRows} rows and a copy takes at most a
 *   quarter of the free memory.
 */
export type DecodingMode = 'auto' | 'step' | 'backend';

/** With more rows than this, attention row by row takes longer than all of them at once on a backend. */
const mostStepRows = 64;
/** With more rows than this TensorFlow's products are faster than those of the kernels. */
const mostCopiedRows = 8;

type Matrices = NonNullable<StepDecoderOptions['matrices']>;

/**
 * Whether a step decoder reads prompts faster than the current backend: its kernels use all processors, those of the wasm
 * and cpu backends one. In a worker thread, where they use one too, the answer is the same, for the results to be so to the
 * bit.
 */
export function stepsReadPromptsFaster(): boolean {
  return ['wasm', 'cpu'].includes(tf.getBackend()) && availableParallelism() > 1;
}

const made = new WeakMap<Decoder, Partial<Record<Matrices, Promise<StepDecoder>>>>();

/**
 * The step decoder of a reasoner for so many rows, made at the first call and disposed with the reasoner.
 * @throws MemGenError `decoding` for `"step"` with weights in training, `step-decoder-memory` when it does not fit.
 */
export async function stepDecoderOf(
  reasoner: Decoder,
  mode: DecodingMode,
  rows: number,
): Promise<StepDecoder | undefined> {
  if (mode === 'backend' || (mode === 'auto' && rows > mostStepRows)) return undefined;
  const { finalNorm, head } = reasoner.weights;
  if (isTrainable(finalNorm) || isTrainable(head)) {
    if (mode === 'auto') return undefined;
    throw new MemGenError({
      code: 'decoding',
      message: 'a step decoder copies weights, so they must be frozen',
      got: 'weights in training',
      hint: 'use the decoding "backend"',
    });
  }
  const decoders = made.get(reasoner) ?? {};
  made.set(reasoner, decoders);
  const hasRoom = decoders.copied !== undefined || StepDecoder.memoryNeeded(reasoner.config) <= freemem() / 4;
  const borrows = StepDecoder.borrows();
  if (!hasRoom && !borrows && mode === 'auto') return undefined;
  const matrices = borrows && (rows > mostCopiedRows || !hasRoom) ? 'borrowed' : 'copied';
  return (decoders[matrices] ??= create(reasoner, matrices));
}

function create(reasoner: Decoder, matrices: Matrices): Promise<StepDecoder> {
  const decoder = StepDecoder.create(reasoner, { matrices });
  reasoner.onDispose(() => {
    void decoder.then((created) => {
      created.dispose();
    });
  });
  return decoder;
}
