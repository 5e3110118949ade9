// Which step decoder, if any, computes the tokens of a generation.
import { freemem } from 'node:os';
import { MemGenError } from '@memgen/common';
import type { Decoder } from '../model/decoder.js';
import { isTrainable } from '../ops/trainable.js';
import { StepDecoder } from '../step-decoder/index.js';

/**
 * How new tokens are computed:
 * - `"step"`: by a step decoder, which keeps a second copy of the weights (in bfloat16 where that is exact) and needs a
 *   few seconds to make it, once for each reasoner;
 * - `"backend"`: on the backend, as the prompt;
 * - `"auto"`: `"step"` if the weights are frozen and the copy takes at most a quarter of the free memory.
 */
export type DecodingMode = 'auto' | 'step' | 'backend';

const made = new WeakMap<Decoder, Promise<StepDecoder>>();

/**
 * The step decoder of a reasoner, made at the first call and disposed with the reasoner.
 * @throws MemGenError `decoding` for `"step"` with weights in training, `step-decoder-memory` when it does not fit.
 */
export async function stepDecoderOf(reasoner: Decoder, mode: DecodingMode): Promise<StepDecoder | undefined> {
  if (mode === 'backend') return undefined;
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
  let decoder = made.get(reasoner);
  if (decoder === undefined) {
    if (mode === 'auto' && StepDecoder.memoryNeeded(reasoner.config) > freemem() / 4) return undefined;
    decoder = StepDecoder.create(reasoner);
    made.set(reasoner, decoder);
    reasoner.onDispose(() => {
      void decoder?.then((created) => {
        created.dispose();
      });
    });
  }
  return decoder;
}
