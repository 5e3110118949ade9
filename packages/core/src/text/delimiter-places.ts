// The delimiter test at every place of a token sequence, in one pass.
import { endsWithDelimiter, type DelimiterRule } from './delimiter.js';
import { IncrementalDecoder } from './incremental-decoder.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * For each index i, 0 to `ids.length`: whether the decoded text of `ids[0..i)` ends with a delimiter, so that latents
 * may come before token i.
 *
 * @returns `ids.length + 1` flags.
 */
export function delimiterPlaces(
  tokenizer: Tokenizer,
  ids: readonly number[],
  { rule = 'reference' }: { rule?: DelimiterRule } = {},
): boolean[] {
  const decoder = new IncrementalDecoder(tokenizer);
  const places = [false];
  for (const id of ids) {
    const before = decoder.ending;
    decoder.push(id);
    places.push(endsWithDelimiter(decoder.ending, rule, before));
  }
  return places;
}
