// The delimiter test at every place of a token sequence, in one pass.
import { endsWithDelimiter, needsLookAhead, type DelimiterRule } from './delimiter.js';
import { IncrementalDecoder } from './incremental-decoder.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * For each index i, 0 to `ids.length`: whether the decoded text of `ids[0..i)` ends with a delimiter, so that latents
 * may come before token i. Under `sentence` the text of token i is the look-ahead.
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
  ids.forEach((id, i) => {
    decoder.push(id);
    const following = ids[i + 1];
    const next = following !== undefined && needsLookAhead(decoder.ending, rule) ? decoder.peek(following) : '';
    places.push(endsWithDelimiter(decoder.ending, rule, next));
  });
  return places;
}
