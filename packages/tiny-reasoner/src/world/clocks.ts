// Clock times: so many minutes later, in steps of five.
import type { Random } from '@memgen/common';
import { worldRow, type WorldRow } from './row.js';

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}

/** Minutes to add. */
const delays = [10, 15, 20, 30, 45] as const;

/** Adds 10 to 45 minutes to a time of day, with the carry written out. */
export function clockRow(random: Random): WorldRow {
  const hour = 1 + random.int(22);
  const minute = 5 * random.int(12);
  const later = random.pick(delays);
  const sum = minute + later;
  const question = `It is ${hour}:${twoDigits(minute)}. What time is it ${later} minutes later?`;
  const steps = [`${minute} + ${later} = ${sum}.`];
  if (sum >= 60) steps.push(`${sum} - 60 = ${sum - 60}.`, `${hour} + 1 = ${hour + 1}.`);
  const end = sum >= 60 ? `${hour + 1}:${twoDigits(sum - 60)}` : `${hour}:${twoDigits(sum)}`;
  return worldRow('clock', question, { steps: steps.join(' '), answer: end });
}
