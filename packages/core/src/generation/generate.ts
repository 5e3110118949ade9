// Text generation, with or without latents woven in: at once or as a stream.
import type { GenerateOptions } from './generate-options.js';
import type { GeneratedRow, GeneratedToken } from './generated-row.js';
import type { GeneratingModel } from './generating-model.js';
import { tokenLoop } from './token-loop.js';

/**
 * Continues each prompt. Greedy results equal the reference implementation's up to the first end token.
 * @param prompts - token ids, any lengths.
 * @returns rows in the order of the prompts, those of one prompt side by side.
 * @throws MemGenError `generate-prompt`, `context-length` for a prompt that the model cannot read, `generate-options`,
 *   `sampling`, `token-id` for ids outside the vocabulary, `logits` when a model computes no numbers, `decoding`,
 *   `step-decoder-memory`, `adapter-shape`.
 */
export async function generate(
  reasoner: GeneratingModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<GeneratedRow[]> {
  const tokens = tokenLoop(reasoner, prompts, options);
  for (;;) {
    const next = await tokens.next();
    if (next.done === true) return next.value;
  }
}

/**
 * The same, token by token as they come: computes no further than they are asked for. Leaving a `for await` loop ends the
 * generation and frees what it holds, as `signal` does; a stream that was begun must be read to its end or left in one of
 * these ways.
 * @returns the stream; its return value (which a `for await` drops) are the rows as {@link generate} has them.
 * @throws MemGenError with the first token, as {@link generate}.
 */
export function streamGenerate(
  reasoner: GeneratingModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedToken, GeneratedRow[], undefined> {
  return tokenLoop(reasoner, prompts, options);
}
