// Questions about prices and their worked answers. They do not say where the prices come from: a list or a memory.
import type { Random } from '@memgen/common';
import type { PricedItem } from './price-list.js';
import { writePrices } from './price-list.js';
import type { PriceFamily } from './row.js';
import { orderFactors, payments, personNames } from './words.js';

/** A question with the steps to its answer. */
export interface PriceQuestion {
  question: string;
  steps: string;
  answer: string | number;
}

/** How many things a family asks about. */
export const thingsAsked: Record<PriceFamily, 1 | 2> = {
  list_look: 1,
  list_mul: 1,
  list_sum: 2,
  list_change: 1,
  list_cmp: 2,
};

/** "How much is a bowl?" */
export function askPrice(random: Random, thing: PricedItem): PriceQuestion {
  const question = random.pick([`How much is a ${thing.item}?`, `What does a ${thing.item} cost?`]);
  return { question, steps: `Cost: ${writePrices([thing])}.`, answer: thing.price };
}

/** "Mia orders 3 x bowl. What is the bill?" */
export function askMultiple(random: Random, thing: PricedItem, factor: number): PriceQuestion {
  const person = random.pick(personNames);
  const question = random.pick([
    `${person} orders ${factor} x ${thing.item}. What is the bill?`,
    `How much is ${factor} x ${thing.item}?`,
  ]);
  const answer = factor * thing.price;
  return { question, steps: `Cost: ${writePrices([thing])}. ${factor} * ${thing.price} = ${answer}.`, answer };
}

/** "Kai buys a bowl and a clock. What is the bill?" */
export function askSum(random: Random, first: PricedItem, second: PricedItem): PriceQuestion {
  const person = random.pick(personNames);
  const question = random.pick([
    `${person} buys a ${first.item} and a ${second.item}. What is the bill?`,
    `How much is a ${first.item} and a ${second.item}?`,
  ]);
  const answer = first.price + second.price;
  const sum = `${first.price} + ${second.price} = ${answer}.`;
  return { question, steps: `Cost: ${writePrices([first, second])}. ${sum}`, answer };
}

/** "Ada pays 50 coins for a bowl. How much change?" */
export function askChange(random: Random, thing: PricedItem, paid: number): PriceQuestion {
  const question = `${random.pick(personNames)} pays ${paid} coins for a ${thing.item}. How much change?`;
  const answer = paid - thing.price;
  return { question, steps: `Cost: ${writePrices([thing])}. ${paid} - ${thing.price} = ${answer}.`, answer };
}

/** "Which costs more, a bowl or a clock?" The two prices must differ. */
export function askDearer(first: PricedItem, second: PricedItem): PriceQuestion {
  const question = `Which costs more, a ${first.item} or a ${second.item}?`;
  const sign = first.price > second.price ? '>' : '<';
  const dearer = first.price > second.price ? first : second;
  const steps = `Cost: ${writePrices([first, second])}. ${first.price} ${sign} ${second.price}.`;
  return { question, steps, answer: ` ${dearer.item}` };
}

/** A random question of a family about `things` (as many as {@link thingsAsked} says). */
export function askAbout(random: Random, family: PriceFamily, things: readonly PricedItem[]): PriceQuestion {
  const [first, second = first] = things as [PricedItem, PricedItem?];
  switch (family) {
    case 'list_look':
      return askPrice(random, first);
    case 'list_mul':
      return askMultiple(random, first, random.pick(orderFactors));
    case 'list_sum':
      return askSum(random, first, second);
    case 'list_change':
      return askChange(random, first, random.pick(payments));
    case 'list_cmp':
      return askDearer(first, second);
  }
}
