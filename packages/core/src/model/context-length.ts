// How long a sequence may become, by what the positions of a model were made for.
import { MemGenError } from '@memgen/common';
import type { DecoderConfig } from './decoder-config.js';

/**
 * Most positions of one sequence, latents included: `max_position_embeddings`, times the factor of a rotary scaling that
 * stretches them (linear, dynamic, yarn without an original length). Nothing breaks behind it, but models were not
 * trained there and write nonsense; transformers warns and goes on.
 */
export function contextLength({ maxPositions, rotary }: Pick<DecoderConfig, 'maxPositions' | 'rotary'>): number {
  return Math.floor(maxPositions * Math.max(1, rotary.stretch ?? 1));
}

/**
 * Requires that a token can follow each prompt.
 * @throws MemGenError `context-length` that names the first prompt that is too long.
 */
export function requireRoom(prompts: readonly (readonly number[])[], positions: number): void {
  const index = prompts.findIndex((prompt) => prompt.length >= positions);
  if (index < 0) return;
  throw new MemGenError({
    code: 'context-length',
    where: `prompt ${index}`,
    message: 'the prompt is longer than the model can read',
    got: `${prompts[index]!.length} tokens`,
    expected: `at most ${positions - 1}, so that one can follow: the context has ${positions} positions`,
    hint: 'shorten the prompt, or take a model with a longer context; contextLength: Infinity goes beyond it all the same',
  });
}
