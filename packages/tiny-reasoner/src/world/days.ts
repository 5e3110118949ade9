// Days of the week: so many days later or earlier.
import type { Random } from '@memgen/common';
import { worldRow, type WorldRow } from './row.js';
import { dayNames, personNames } from './words.js';

/** Counts one to six days on or back, naming each day on the way. */
export function dayRow(random: Random): WorldRow {
  const start = random.int(7);
  const count = 1 + random.int(6);
  const step = random.pick([1, 6]);
  const passed = Array.from({ length: count }, (_, i) => dayNames[(start + (i + 1) * step) % 7]!);
  const where = step === 1 ? 'later' : 'earlier';
  const question = `${random.pick(personNames)} leaves on ${dayNames[start]!}. Which day is ${count} days ${where}?`;
  return worldRow('day', question, { steps: `Count: ${passed.join(', ')}.`, answer: ` ${passed.at(-1)!}` });
}
