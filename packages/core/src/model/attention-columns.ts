// Which columns of a padded batch are real, where each stands in its row, and what that means for attention.
import * as tf from '@tensorflow/tfjs';
import type { RotaryFactors } from '../ops/rotary.js';
import { rowFrequencies, type RotarySettings } from './rotary-frequencies.js';

/** One row of a padded batch: 1 for a real column, 0 for padding. */
export type MaskRow = readonly number[];

/**
 * The columns seen so far by each row of a batch. Positions count real columns only:
 * position = max(number of real columns up to here - 1, 0), and 0 at padding.
 */
export class AttentionColumns {
  private readonly rows: number[][];
  private readonly counts: number[];

  constructor(batch: number) {
    this.rows = Array.from({ length: batch }, () => []);
    this.counts = Array.from({ length: batch }, () => 0);
  }

  get batch(): number {
    return this.rows.length;
  }

  get length(): number {
    return this.rows[0]?.length ?? 0;
  }

  /** One row per batch row, over all columns so far. */
  get mask(): readonly MaskRow[] {
    return this.rows;
  }

  clone(): AttentionColumns {
    const copy = new AttentionColumns(this.batch);
    this.rows.forEach((row, b) => {
      copy.rows[b]!.push(...row);
      copy.counts[b] = this.counts[b]!;
    });
    return copy;
  }

  /** Keeps only the given rows, in the given order. */
  select(rows: readonly number[]): AttentionColumns {
    const copy = new AttentionColumns(rows.length);
    rows.forEach((row, b) => {
      copy.rows[b]!.push(...this.rows[row]!);
      copy.counts[b] = this.counts[row]!;
    });
    return copy;
  }

  /**
   * Adds columns (one mask row per batch row, equally long) and returns their positions. With fewer mask rows than before,
   * the last rows end.
   */
  append(mask: readonly MaskRow[]): number[][] {
    this.rows.length = this.counts.length = mask.length;
    return mask.map((row, b) =>
      row.map((real) => {
        this.rows[b]!.push(real);
        if (real === 0) return 0;
        this.counts[b]! += 1;
        return this.counts[b]! - 1;
      }),
    );
  }

  /** Removes the last `count` columns. */
  drop(count: number): void {
    this.rows.forEach((row, b) => {
      for (const real of row.splice(row.length - count, count)) this.counts[b]! -= real;
    });
  }

  /**
   * Additive bias for the last `tokens` columns attending to all: 0 where a column is real and not later, else very
   * negative. Undefined when nothing is hidden (a single token without padding).
   * @returns `[batch or 1, 1, tokens, length]`; the caller disposes.
   */
  bias(tokens: number): tf.Tensor4D | undefined {
    const { length, batch } = this;
    const padded = this.rows.some((row) => row.includes(0));
    if (tokens === 1 && !padded) return undefined;
    const shared = padded ? batch : 1;
    const values = new Float32Array(shared * tokens * length);
    const past = length - tokens;
    for (let b = 0; b < shared; b++) {
      const row = this.rows[b]!;
      for (let t = 0; t < tokens; t++) {
        const start = (b * tokens + t) * length;
        for (let s = 0; s < length; s++) if (s > past + t || row[s] === 0) values[start + s] = -1e9;
      }
    }
    return tf.tensor4d(values, [shared, 1, tokens, length]);
  }
}

/** Angle of a pair of channels at a position. The reference computes it in float32. */
export function rotaryAngle(position: number, inverseFrequency: number): number {
  return Math.fround(position * Math.fround(inverseFrequency));
}

/** Cosines and sines for `positions [batch][tokens]`; the caller disposes both (not `halfTurn`). */
export function rotaryFactors(
  positions: readonly (readonly number[])[],
  settings: RotarySettings,
  halfTurn: tf.Tensor2D,
): RotaryFactors {
  const batch = positions.length;
  const tokens = positions[0]?.length ?? 0;
  const { attentionScaling } = settings;
  const half = settings.inverseFrequencies.length;
  const cos = new Float32Array(batch * tokens * half * 2);
  const sin = new Float32Array(cos.length);
  let offset = 0;
  for (const row of positions) {
    const length = row.reduce((most, position) => Math.max(most, position + 1), 0);
    const inverseFrequencies = rowFrequencies(settings, length);
    for (const position of row) {
      for (let i = 0; i < half; i++) {
        const angle = rotaryAngle(position, inverseFrequencies[i]!);
        cos[offset + i] = cos[offset + half + i] = Math.cos(angle) * attentionScaling;
        sin[offset + i] = sin[offset + half + i] = Math.sin(angle) * attentionScaling;
      }
      offset += 2 * half;
    }
  }
  const shape: [number, number, number, number] = [batch, 1, tokens, 2 * half];
  return { cos: tf.tensor4d(cos, shape), sin: tf.tensor4d(sin, shape), halfTurn };
}
