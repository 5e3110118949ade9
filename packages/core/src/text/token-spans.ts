// Says which characters of a text each of its tokens covers.
import type { Tokenizer } from './tokenizer.js';

/**
 * First token that reaches past each boundary, i.e. the number of tokens that end at or before it.
 *
 * @param boundaries - places in `text` in UTF-16 code units, ascending.
 * @returns for every boundary the token that holds the character after it, and whether one token covers both sides.
 */
export function tokensAtBoundaries(
  tokenizer: Tokenizer,
  text: string,
  ids: readonly number[],
  boundaries: readonly number[],
): { token: number; isInside: boolean }[] {
  const isLiteral =
    tokenizer.isByteLevel && Buffer.concat(ids.map((id) => tokenizer.bytesOf(id))).equals(Buffer.from(text));
  return isLiteral ? byByteCounts(tokenizer, text, ids, boundaries) : byPrefixes(tokenizer, text, ids, boundaries);
}

/** The bytes of the tokens are those of the text, so counting them is enough. */
function byByteCounts(
  tokenizer: Tokenizer,
  text: string,
  ids: readonly number[],
  boundaries: readonly number[],
): { token: number; isInside: boolean }[] {
  let token = 0;
  let tokenEnd = 0;
  let place = 0;
  let placeInBytes = 0;
  return boundaries.map((boundary) => {
    placeInBytes += Buffer.byteLength(text.slice(place, boundary));
    place = boundary;
    while (token < ids.length) {
      const next = tokenEnd + tokenizer.bytesOf(ids[token]!).length;
      if (next > placeInBytes) break;
      tokenEnd = next;
      token++;
    }
    return { token, isInside: token < ids.length && tokenEnd < placeInBytes };
  });
}

/** The tokenizer changed the text (a normalizer did), so the text before a boundary is encoded by itself. */
function byPrefixes(
  tokenizer: Tokenizer,
  text: string,
  ids: readonly number[],
  boundaries: readonly number[],
): { token: number; isInside: boolean }[] {
  return boundaries.map((boundary) => {
    const prefix = tokenizer.encode(text.slice(0, boundary));
    const different = prefix.findIndex((id, i) => id !== ids[i]);
    return { token: different < 0 ? prefix.length : different, isInside: different >= 0 };
  });
}
