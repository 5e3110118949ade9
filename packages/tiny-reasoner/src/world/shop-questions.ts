// Questions about a private shop, split so that what is tested combines things in ways that training never shows.
import { Random } from '@memgen/common';
import type { PricedItem } from './price-list.js';
import { askChange, askMultiple, askSum, type PriceQuestion } from './price-questions.js';
import { worldRow, type WorldRow } from './row.js';
import type { Shop } from './shop.js';
import { payments } from './words.js';

/** Whether rows are learnt from or tested on; the two never ask about the same combination. */
export type RowSplit = 'training' | 'test';

/** Kinds of questions about the shop that do not simply repeat a price. */
export const shopFamilies = ['sum', 'mul', 'change'] as const;
export type ShopFamily = (typeof shopFamilies)[number];

/** A question about the shop, with what is asked about. */
export interface ShopQuestion extends PriceQuestion {
  family: ShopFamily;
  things: readonly PricedItem[];
}

/** Sums are drawn twice as often as the others. */
const frequencies: readonly ShopFamily[] = ['mul', 'change', 'sum', 'sum'];

/**
 * Sums, multiples and change, or some of them. Of each thing one payment is kept for the test, as one factor of its
 * multiples is.
 */
export function drawShopQuestion(
  random: Random,
  shop: Shop,
  split: RowSplit,
  families: readonly ShopFamily[] = shopFamilies,
): ShopQuestion {
  const family = random.pick(frequencies.filter((one) => families.includes(one)));
  switch (family) {
    case 'mul': {
      const [thing, factor] = random.pick(shop.multiples[split]);
      return { family, things: [thing], ...askMultiple(random, thing, factor) };
    }
    case 'change': {
      const thing = random.pick(shop.prices);
      const kept = payments[shop.prices.indexOf(thing) % payments.length]!;
      const paid = split === 'test' ? kept : random.pick(payments.filter((payment) => payment !== kept));
      return { family, things: [thing], ...askChange(random, thing, paid) };
    }
    case 'sum': {
      const things = random.shuffle(random.pick(shop.pairs[split]));
      return { family, things, ...askSum(random, things[0]!, things[1]!) };
    }
  }
}

export interface ShopRowsOptions {
  shop: Shop;
  seed: number;
  rows: number;
  /** Test rows ask about combinations that no training row has, of any seed. @default "training" */
  split?: RowSplit;
  /** At least one. @default all */
  families?: readonly ShopFamily[];
}

/** Questions about the shop whose prices stand in no prompt: what a weaver learns from by reward. */
export function shopQuestionRows({ shop, seed, rows, split = 'training', families }: ShopRowsOptions): WorldRow[] {
  const random = Random.fromSeed(seed).fork(`shop questions/${split}`);
  return Array.from({ length: rows }, () => {
    const { family, question, ...solution } = drawShopQuestion(random, shop, split, families);
    return worldRow(family, question, solution);
  });
}
