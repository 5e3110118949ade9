// Training rows for tests: random tokens, one span of labels, chosen points.
import { randomIds } from '../model/tiny-decoder.test-helper.js';
import type { WovenRow } from './woven-forward.js';

/** Labels begin at `start`; the prompt point stands there unless `inference` is undefined. */
export function wovenRow(
  length: number,
  start: number,
  inference: readonly number[] | undefined,
  seed: number,
  end = length,
): WovenRow {
  const ids = randomIds(length, seed);
  return {
    ids,
    labels: ids.map((id, i) => (i >= start && i < end ? id : -100)),
    points:
      inference === undefined
        ? []
        : [{ index: start, kind: 'prompt' }, ...inference.map((index) => ({ index, kind: 'inference' as const }))],
  };
}

/** Rows of different lengths, prompts and numbers of points, and one without any. */
export const variedRows: readonly WovenRow[] = [
  wovenRow(9, 4, [6], 1),
  wovenRow(12, 3, [5, 6, 10], 2),
  wovenRow(6, 5, [], 3),
  wovenRow(8, 3, undefined, 4),
  wovenRow(7, 2, [4], 5, 6),
];
