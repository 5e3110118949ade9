// Price lists: random ones, and how a list is written.
import type { Random } from '@memgen/common';
import { itemNames, priceRange } from './words.js';

/** A thing and what it costs, in coins. */
export interface PricedItem {
  item: string;
  price: number;
}

/** A random price. */
export function drawPrice(random: Random): number {
  return priceRange.lowest + random.int(priceRange.highest - priceRange.lowest + 1);
}

/** `count` different things with random prices. */
export function drawPriceList(random: Random, count: number): PricedItem[] {
  return random.sample(itemNames, count).map((item) => ({ item, price: drawPrice(random) }));
}

/** `5 bowl, 9 clock`: the way lists and notes give prices. A price stands before its thing, so that a model that finds
 * the thing has just read the price; small models learn look-ups in this order far sooner than in the other. */
export function writePriceList(list: readonly PricedItem[]): string {
  return list.map(({ item, price }) => `${price} ${item}`).join(', ');
}

/** `bowl 5, clock 9`: the way solutions repeat the prices they use. */
export function writePrices(list: readonly PricedItem[]): string {
  return list.map(({ item, price }) => `${item} ${price}`).join(', ');
}
