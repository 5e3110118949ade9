// Columns of a batch as vectors, side by side and apart.
import * as tf from '@tensorflow/tfjs';
import type { MaskRow } from '../model/attention-columns.js';

/** Columns of a batch: `vectors [batch * width, hidden]` with one mask row per batch row. */
export interface Columns {
  vectors: tf.Tensor2D;
  mask: readonly MaskRow[];
}

/** Columns side by side. */
export function joinColumns(parts: readonly Columns[], hiddenSize: number): Columns {
  const batch = parts[0]!.mask.length;
  const blocks = parts.map(({ vectors, mask }) => tf.reshape(vectors, [batch, mask[0]!.length, hiddenSize]));
  const mask = parts[0]!.mask.map((_, b) => parts.flatMap((part) => [...part.mask[b]!]));
  const joined = blocks.length === 1 ? blocks[0]! : tf.concat(blocks, 1);
  return { vectors: tf.reshape(joined, [batch * mask[0]!.length, hiddenSize]), mask };
}

/** Columns in pieces of `most` at the most, in order. */
export function splitColumns({ vectors, mask }: Columns, hiddenSize: number, most: number): Columns[] {
  const batch = mask.length;
  const width = mask[0]!.length;
  if (width <= most) return [{ vectors, mask }];
  const block = tf.reshape(vectors, [batch, width, hiddenSize]);
  return Array.from({ length: Math.ceil(width / most) }, (_, i) => {
    const start = i * most;
    const size = Math.min(most, width - start);
    const piece = tf.slice(block, [0, start, 0], [batch, size, hiddenSize]);
    return {
      vectors: tf.reshape(piece, [batch * size, hiddenSize]),
      mask: mask.map((row) => row.slice(start, start + size)),
    };
  });
}
