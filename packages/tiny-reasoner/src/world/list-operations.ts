// Small operations on a list of words: first, last, count, turned round.
import type { Random } from '@memgen/common';
import { worldRow, type WorldRow } from './row.js';
import { itemNames } from './words.js';

/** One operation on two to five words. */
export function listOperationRow(random: Random): WorldRow {
  const words = random.sample(itemNames, 2 + random.int(4));
  const list = words.join(', ');
  switch (random.int(4)) {
    case 0:
      return worldRow('lst', `List: ${list}. Which is first?`, { steps: '', answer: ` ${words[0]!}` });
    case 1:
      return worldRow('lst', `List: ${list}. Which is last?`, { steps: '', answer: ` ${words.at(-1)!}` });
    case 2:
      return worldRow('lst', `List: ${list}. How many?`, { steps: '', answer: words.length });
    default:
      return worldRow('lst', `List: ${list}. Turn it round.`, { steps: '', answer: ` ${words.reverse().join(', ')}` });
  }
}
