// Held-out rows of one family, for measuring a reasoner.
import { Random } from '@memgen/common';
import { isHeldOut } from './held-out.js';
import { drawRow, mainMix, type Mix } from './pretraining-rows.js';
import type { Family, WorldRow } from './row.js';

/** `count` held-out rows of `family`; pre-training never draws a row with the same given text. */
export function evaluationRows(options: { seed: number; family: Family; count: number; mix?: Mix }): WorldRow[] {
  const { seed, family, count, mix = mainMix } = options;
  const random = Random.fromSeed(seed).fork(`evaluation/${family}`);
  const rows: WorldRow[] = [];
  while (rows.length < count) {
    const row = drawRow(random, family, mix);
    if (isHeldOut(row)) rows.push(row);
  }
  return rows;
}
