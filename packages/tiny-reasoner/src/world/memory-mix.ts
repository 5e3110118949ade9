// Questions that need the memory of a shop, side by side with old skills that weaving ruins: what a trigger learns from.
import { MemGenError, Random } from '@memgen/common';
import { isHeldOut } from './held-out.js';
import { withPriceList } from './list-rows.js';
import type { PricedItem } from './price-list.js';
import { drawRow, mainMix } from './pretraining-rows.js';
import { otherFamilies, worldRow, type WorldRow } from './row.js';
import { drawShopQuestion, type RowSplit } from './shop-questions.js';
import type { Shop } from './shop.js';

export interface MixRow extends WorldRow {
  /** Whether the prompt lacks what the answer hangs on, so that only a memory of the shop can know it. */
  needsMemory: boolean;
}

export interface MemoryMixOptions {
  shop: Shop;
  seed: number;
  /** How many; half of them, rounded up, ask about the shop. */
  rows: number;
  /** Part of the shop's questions whose prompt holds the prices; from 0 to 1. @default 0 */
  factsGiven?: number;
  /** Test rows ask what no training row does, of any seed. @default "training" */
  split?: RowSplit;
}

/**
 * Questions about the shop and old skills in random order. With `factsGiven`, some of the shop's questions come behind a
 * price list and are otherwise worded alike: the harder mix, in which the kind of a question does not tell whether its
 * answer is known. Skills of test rows are held out from pre-training too.
 * @throws MemGenError `memory-mix` for a part out of range.
 */
export function memoryMixRows({ shop, seed, rows, factsGiven = 0, split = 'training' }: MemoryMixOptions): MixRow[] {
  if (!(factsGiven >= 0 && factsGiven <= 1)) {
    throw new MemGenError({
      code: 'memory-mix',
      where: 'factsGiven',
      message: 'the part of the questions whose prompt holds the prices is out of range',
      got: String(factsGiven),
      expected: 'a number from 0 to 1',
    });
  }
  const random = Random.fromSeed(seed).fork(`memory mix/${split}`);
  const shopRows = Math.ceil(rows / 2);
  const given = Math.round(shopRows * factsGiven);
  const drawn = Array.from({ length: rows }, (_, i): MixRow => {
    if (i >= shopRows) return { ...skillRow(random, split), needsMemory: false };
    return i < given
      ? { ...listedRow(random, shop, split), needsMemory: false }
      : { ...unlistedRow(random, shop, split), needsMemory: true };
  });
  return random.shuffle(drawn);
}

function unlistedRow(random: Random, shop: Shop, split: RowSplit): WorldRow {
  const { family, question, ...solution } = drawShopQuestion(random, shop, split);
  return worldRow(family, question, solution);
}

function listedRow(random: Random, shop: Shop, split: RowSplit): WorldRow {
  const { family, question, things, ...solution } = drawShopQuestion(random, shop, split);
  return worldRow(`${family}_given`, withPriceList(random, listOf(random, shop, things), question), solution);
}

/** A list as long as those of pre-training: what is asked about, among other things of the shop. */
function listOf(random: Random, shop: Shop, things: readonly PricedItem[]): PricedItem[] {
  const { shortest, longest } = mainMix.listLength;
  const length = shortest + random.int(longest - shortest + 1);
  const others = shop.prices.filter((thing) => !things.includes(thing));
  return random.shuffle([...things, ...random.sample(others, length - things.length)]);
}

function skillRow(random: Random, split: RowSplit): WorldRow {
  const family = random.pick(otherFamilies);
  for (;;) {
    const row = drawRow(random, family, mainMix);
    if (isHeldOut(row) === (split === 'test')) return row;
  }
}
