// Bare arithmetic: the facts that the other families lean on.
import type { Random } from '@memgen/common';
import { worldRow, type WorldRow } from './row.js';
import { orderFactors, payments } from './words.js';

function solve(expression: string, answer: number): WorldRow {
  return worldRow('drill', `Work out ${expression}.`, { steps: `${expression} = ${answer}.`, answer });
}

/** One sum, difference or product within the range of the world's prices. */
export function drillRow(random: Random): WorldRow {
  const small = 2 + random.int(11);
  switch (random.int(4)) {
    case 0: {
      const other = 2 + random.int(18);
      return random.int(2) === 0
        ? solve(`${other} + ${small}`, other + small)
        : solve(`${small} + ${other}`, other + small);
    }
    case 1: {
      const larger = small + 1 + random.int(18);
      return solve(`${larger} - ${small}`, larger - small);
    }
    case 2: {
      const paid = random.pick(payments);
      return solve(`${paid} - ${small}`, paid - small);
    }
    default: {
      const factor = random.pick(orderFactors);
      return solve(`${factor} * ${small}`, factor * small);
    }
  }
}
