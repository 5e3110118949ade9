// A private shop: known things with fixed prices that no prompt ever states, revealed only through solved questions.
import { MemGenError, Random } from '@memgen/common';
import { drawPrice, type PricedItem } from './price-list.js';
import { askChange, askDearer, askMultiple, askPrice, askSum } from './price-questions.js';
import { worldRow, type WorldRow } from './row.js';
import { itemNames, orderFactors, payments } from './words.js';

/** Ways to ask about the shop that its training rows never show. */
export const shopTestFamilies = ['sum_new', 'mul_new', 'change', 'cmp'] as const;
export type ShopTestFamily = (typeof shopTestFamilies)[number];

/** Two different things, in no order. */
export type ItemPair = readonly [PricedItem, PricedItem];
/** A thing and how many of it. */
export type ItemMultiple = readonly [PricedItem, number];

export interface Shop {
  /** What it sells and for how much. */
  prices: readonly PricedItem[];
  /** Pairs whose sums training shows, and the others. */
  pairs: { training: readonly ItemPair[]; test: readonly ItemPair[] };
  /** Multiples that training shows, and the others. */
  multiples: { training: readonly ItemMultiple[]; test: readonly ItemMultiple[] };
  /**
   * Rows that reveal the prices: a quarter look-ups, a quarter multiples, half sums. Deterministic; a longer call begins
   * with the shorter.
   * @param options.curriculum - easy rows first, meant to be learned in order: look-ups alone, from a fifth of the rows on
   *   also multiples, from a third on the mix. Default false.
   */
  trainingRows(count: number, options?: { curriculum?: boolean }): WorldRow[];
  /** Rows that combine the prices in ways training never shows. */
  testRows(options: { perFamily: number }): Record<ShopTestFamily, WorldRow[]>;
}

/** How far apart two things may stand in the shop's ring for training to add them up: three pairs per thing. */
const trainedRingDistance = 3;

/** All pairs, split by distance in a ring, so that every thing is in equally many training pairs. */
function splitPairs(ring: readonly PricedItem[]): Shop['pairs'] {
  const training: ItemPair[] = [];
  const test: ItemPair[] = [];
  for (let i = 0; i < ring.length; i++) {
    for (let j = i + 1; j < ring.length; j++) {
      const distance = Math.min(j - i, ring.length - (j - i));
      (distance <= trainedRingDistance ? training : test).push([ring[i]!, ring[j]!]);
    }
  }
  return { training, test };
}

/** All multiples; of each thing one factor is kept for the test, the factors taking turns. */
function splitMultiples(ring: readonly PricedItem[]): Shop['multiples'] {
  const training: ItemMultiple[] = [];
  const test: ItemMultiple[] = [];
  ring.forEach((thing, i) => {
    orderFactors.forEach((factor, j) => (j === i % orderFactors.length ? test : training).push([thing, factor]));
  });
  return { training, test };
}

/** How many of the four kinds (look-up, multiple, sum, sum) may be drawn at this part of a curriculum. */
function kindsAt(progress: number): number {
  if (progress < 0.2) return 1;
  return progress < 0.35 ? 2 : 4;
}

/** Opens a shop that sells `items` things (at least 8); which things and at what prices follows from `seed`. */
export function createShop(options: { seed: number; items?: number }): Shop {
  const { seed, items = 16 } = options;
  if (items < 8 || items > itemNames.length) {
    throw new MemGenError({
      code: 'shop-items',
      message: 'a shop cannot be split into training and test combinations with so many things',
      got: String(items),
      expected: `8 to ${itemNames.length}`,
    });
  }
  const source = Random.fromSeed(seed).fork('shop');
  const stock = source.fork('stock');
  const prices = stock.sample(itemNames, items).map((item) => ({ item, price: drawPrice(stock) }));
  const pairs = splitPairs(prices);
  const multiples = splitMultiples(prices);

  function ask(random: Random, family: ShopTestFamily): WorldRow {
    switch (family) {
      case 'sum_new': {
        const [first, second] = random.shuffle(random.pick(pairs.test));
        return shopRow(family, askSum(random, first!, second!));
      }
      case 'mul_new':
        return shopRow(family, askMultiple(random, ...random.pick(multiples.test)));
      case 'change':
        return shopRow(family, askChange(random, random.pick(prices), random.pick(payments)));
      case 'cmp': {
        const [first, second] = random.sample(prices, 2);
        return first!.price === second!.price ? ask(random, family) : shopRow(family, askDearer(first!, second!));
      }
    }
  }

  return {
    prices,
    pairs,
    multiples,
    trainingRows(count, { curriculum = false } = {}) {
      const random = source.fork('training');
      return Array.from({ length: count }, (_, i) => {
        const kinds = curriculum ? kindsAt(i / count) : 4;
        const kind = random.int(kinds);
        if (kind === 0) return shopRow('look', askPrice(random, random.pick(prices)));
        if (kind === 1) return shopRow('mul', askMultiple(random, ...random.pick(multiples.training)));
        const [first, second] = random.shuffle(random.pick(pairs.training));
        return shopRow('sum', askSum(random, first!, second!));
      });
    },
    testRows({ perFamily }) {
      const rows = (family: ShopTestFamily) => {
        const random = source.fork(`test/${family}`);
        return Array.from({ length: perFamily }, () => ask(random, family));
      };
      return { sum_new: rows('sum_new'), mul_new: rows('mul_new'), change: rows('change'), cmp: rows('cmp') };
    },
  };
}

function shopRow(family: string, { question, steps, answer }: ReturnType<typeof askPrice>): WorldRow {
  return worldRow(family, question, { steps, answer });
}
