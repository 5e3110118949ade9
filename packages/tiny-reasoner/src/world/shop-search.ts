// The shop as something to look up: questions whose prices have to be asked for, and how they are answered well.
import { Random, type ChatMessage } from '@memgen/common';
import { writePriceList, type PricedItem } from './price-list.js';
import { boxed } from './row.js';
import { drawShopQuestion, type RowSplit } from './shop-questions.js';
import type { Shop } from './shop.js';

export interface ShopSearchTask {
  family: string;
  question: string;
  /** What has to be known for the answer, in the order of the question. */
  things: readonly string[];
  /** The shop's price list: what can be found out. */
  prices: readonly PricedItem[];
  /** What the box of the right answer holds. */
  answer: string;
  /** The two turns of an episode that goes well. */
  solution: readonly [asking: string, answering: string];
}

/** Most prices that one query finds. */
export const mostPricesFound = 4;

/**
 * Questions about the shop, to be played in a `ShopSearchEnvironment`.
 * @param options.split - test tasks ask about combinations that no training task has, of any seed. Default "training".
 */
export function shopSearchTasks(options: {
  shop: Shop;
  seed: number;
  rows: number;
  split?: RowSplit;
}): ShopSearchTask[] {
  const { shop, seed, rows, split = 'training' } = options;
  const random = Random.fromSeed(seed).fork(`shop search/${split}`);
  return Array.from({ length: rows }, () => {
    const { family, question, steps, answer, things } = drawShopQuestion(random, shop, split);
    const names = things.map(({ item }) => item);
    return {
      family,
      question,
      things: names,
      prices: shop.prices,
      answer: String(answer),
      solution: [`Cost: ${names.join(', ')}?`, `${steps} ${boxed(answer)}`],
    };
  });
}

/**
 * The names in `Cost: bowl, clock?`, or undefined for a text that asks for nothing. The reasoner's own solutions begin like
 * that and go on with prices: to ask is to leave them out.
 */
export function askedThings(text: string): string[] | undefined {
  const names = /^\s*Cost:([^?\d]*)\?/.exec(text)?.[1];
  return names?.split(',').map((name) => name.trim());
}

/**
 * What a query shows: the prices that were found, and the question once more, so that it reads as the reasoner's own
 * exercises do.
 */
export function shownPrices({ question, prices }: ShopSearchTask, names: readonly string[]): string {
  const known = [...new Set(names)].flatMap((name) => prices.filter(({ item }) => item === name));
  const found = known.slice(0, mostPricesFound);
  return found.length === 0 ? `Prices: none. ${question}` : `Prices: ${writePriceList(found)}. ${question}`;
}

/** The conversation of an episode that goes well: what supervised training shows before training by reward. */
export function solvedSearch(task: ShopSearchTask): ChatMessage[] {
  const [asking, answering] = task.solution;
  return [
    { role: 'user', content: task.question },
    { role: 'assistant', content: asking },
    { role: 'user', content: shownPrices(task, task.things) },
    { role: 'assistant', content: answering },
  ];
}
