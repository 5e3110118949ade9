// Which rows are kept for evaluation: decided by the text of what is given, so no seed can leak one into training.
import type { WorldRow } from './row.js';

const bucketCount = 16;

/** 32-bit FNV-1a of a text's UTF-16 units, mixed once more so that the low bits are good. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Everything a row gives before the part that is to be answered: the question and, if there is one, the note. */
export function givenText(row: WorldRow): string {
  const [question, solution] = row.messages;
  return `${question.content}\n${solution.content.slice(0, row.given)}`;
}

/** One row in sixteen is held out. The same given text is always on the same side. */
export function isHeldOut(row: WorldRow): boolean {
  return hashText(givenText(row)) % bucketCount === 0;
}
