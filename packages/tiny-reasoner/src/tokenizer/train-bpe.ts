// Byte-pair merges learned from counted pieces of text. Deterministic: ties go to the pair that sorts first.
import { byteCharacters, toByteCharacters } from './byte-level.js';

/** A vocabulary and its merges, in order of rank. */
export interface BytePairs {
  /** Token by id: the 256 bytes, then one token per merge. */
  tokens: string[];
  merges: [string, string][];
}

interface Piece {
  symbols: string[];
  count: number;
}

function mostFrequentPair(pieces: readonly Piece[]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { symbols, count } of pieces) {
    for (let i = 1; i < symbols.length; i++) {
      const pair = `${symbols[i - 1]!} ${symbols[i]!}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best: string | undefined;
  for (const [pair, count] of counts) {
    const bestCount = best === undefined ? 0 : counts.get(best)!;
    if (count > bestCount || (count === bestCount && pair < best!)) best = pair;
  }
  return best?.split(' ') as [string, string] | undefined;
}

function applyMerge({ symbols }: Piece, [left, right]: [string, string]): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      merged.push(left + right);
      i++;
    } else {
      merged.push(symbols[i]!);
    }
  }
  return merged;
}

/**
 * Learns merges until the vocabulary has `size` tokens or every piece is one token.
 * @param counts - pieces of text (see `preTokens`) with how often each occurs
 */
export function trainBytePairs(counts: ReadonlyMap<string, number>, size: number): BytePairs {
  const pieces = [...counts].map(([text, count]): Piece => ({ symbols: Array.from(toByteCharacters(text)), count }));
  const tokens = [...byteCharacters];
  const known = new Set(tokens);
  const merges: [string, string][] = [];
  while (tokens.length < size) {
    const pair = mostFrequentPair(pieces);
    if (pair === undefined) break;
    const token = pair[0] + pair[1];
    for (const piece of pieces) piece.symbols = applyMerge(piece, pair);
    merges.push(pair);
    if (known.has(token)) continue;
    known.add(token);
    tokens.push(token);
  }
  return { tokens, merges };
}
