// Word problems whose numbers stand in the text.
import type { Random } from '@memgen/common';
import { worldRow, type WorldRow } from './row.js';
import { itemNames, personNames } from './words.js';

/** A small story about one person and some things: more, fewer, or several boxes of them. */
export function wordProblemRow(random: Random): WorldRow {
  const person = random.pick(personNames);
  const item = random.pick(itemNames);
  const kind = random.int(3);
  if (kind === 0) {
    const a = 2 + random.int(18);
    const b = 2 + random.int(11);
    const question = `${person} has ${a} x ${item} and gets ${b} more. How many now?`;
    return worldRow('word', question, { steps: `${a} + ${b} = ${a + b}.`, answer: a + b });
  }
  if (kind === 1) {
    const b = 2 + random.int(11);
    const a = b + 1 + random.int(18);
    const question = `${person} has ${a} x ${item} and gives away ${b}. How many now?`;
    return worldRow('word', question, { steps: `${a} - ${b} = ${a - b}.`, answer: a - b });
  }
  const boxes = 2 + random.int(3);
  const each = 2 + random.int(11);
  const question = `${person} has ${boxes} boxes with ${each} x ${item} in each. How many in all?`;
  return worldRow('word', question, { steps: `${boxes} * ${each} = ${boxes * each}.`, answer: boxes * each });
}
