// Prompts for measurements.
import type { Reasoner } from '@memgen/core';

/** Plain sentences, so that what a model goes on to write has sentence ends to weave at. */
export const sentence = 'A baker sells bread and cakes, counts the coins of the day, and writes the sum into a book. ';

/** Token ids of `rows` prompts that all begin differently: no row can take over what another one has read. */
export function prompts({ tokenizer }: Pick<Reasoner, 'tokenizer'>, rows: number, tokens: number): number[][] {
  const ids = tokenizer.encode(sentence.repeat(Math.ceil((tokens + rows) / 8)));
  return Array.from({ length: rows }, (_, row) => ids.slice(row, row + tokens));
}
