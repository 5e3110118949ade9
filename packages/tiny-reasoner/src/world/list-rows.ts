// Exercises with a price list: in the prompt, as a note after the assistant's tag, or nowhere.
import type { Random } from '@memgen/common';
import { drawPrice, drawPriceList, writePriceList, writePrices, type PricedItem } from './price-list.js';
import { askAbout, thingsAsked } from './price-questions.js';
import { priceFamilies, worldRow, type PriceFamily, type WorldRow } from './row.js';

/**
 * Where the prices of a row stand: in a list in the prompt, in a list after the assistant's tag, or there as the bare
 * prices of the things asked about, in order. The bare note is what a memory would have to say.
 */
export type ListPlace = 'prompt' | 'note' | 'bare-note';

const headings = ['Prices:', 'Price list:'] as const;

/** "Prices: 5 bowl, 9 clock. How much is a bowl?" */
export function withPriceList(random: Random, list: readonly PricedItem[], question: string): string {
  return `${random.pick(headings)} ${writePriceList(list)}. ${question}`;
}

interface PlacedList {
  place: ListPlace;
  list: readonly PricedItem[];
  /** The things asked about. */
  things: readonly PricedItem[];
  question: string;
}

function placeList(random: Random, { place, list, things, question }: PlacedList): { prompt: string; note: string } {
  switch (place) {
    case 'prompt':
      return { prompt: withPriceList(random, list, question), note: '' };
    case 'note':
      return { prompt: question, note: `Note: ${writePriceList(list)}.\n` };
    case 'bare-note':
      return { prompt: question, note: `Note: ${things.map(({ price }) => price).join(', ')}.\n` };
  }
}

/** Things asked about, in random order; for a comparison their prices are made to differ. */
function chooseThings(random: Random, family: PriceFamily, list: PricedItem[]): PricedItem[] {
  const things = random.sample(list, thingsAsked[family]);
  const [first, second] = things;
  if (family === 'list_cmp') while (first!.price === second!.price) second!.price = drawPrice(random);
  return things;
}

/** A question of `family` that a list of `length` things answers. */
export function listRow(random: Random, family: PriceFamily, place: ListPlace, length: number): WorldRow {
  const list = drawPriceList(random, Math.max(length, thingsAsked[family]));
  const things = chooseThings(random, family, list);
  const { question, steps, answer } = askAbout(random, family, things);
  const { prompt, note } = placeList(random, { place, list, things, question });
  return worldRow(family, prompt, { steps, answer }, note);
}

/** Reads most prices of a list in another order: many look-ups in one short row. Boxes the last one. */
export function listSayRow(random: Random, place: ListPlace, length: number): WorldRow {
  const list = drawPriceList(random, length);
  const asked = random.sample(list, Math.max(1, length - random.int(2)));
  const question = `Say ${asked.map(({ item }) => item).join(', ')}.`;
  const { prompt, note } = placeList(random, { place, list, things: asked, question });
  return worldRow('list_say', prompt, { steps: `Cost: ${writePrices(asked)}.`, answer: asked.at(-1)!.price }, note);
}

/** A price question without any list; its prices are random. Teaches the form of an answer, and that there is nothing to know. */
export function unlistedRow(random: Random): WorldRow {
  const family = random.pick(priceFamilies);
  const { question, steps, answer } = askAbout(random, family, chooseThings(random, family, drawPriceList(random, 2)));
  return worldRow('list_none', question, { steps, answer });
}
