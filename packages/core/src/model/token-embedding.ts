// Token ids to vectors: columns of a frozen head, a table in ordinary memory, or a variable in training.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { transposeInto } from './transpose.js';

/** Looks up the embeddings of tokens. */
export interface TokenEmbedding {
  /** `[ids.length, hidden]`. @throws MemGenError `token-id` for an id outside the vocabulary. */
  lookup(ids: readonly number[]): tf.Tensor2D;
  /** The vectors of neighbouring tokens side by side, `[hidden, count]`. */
  columns(start: number, count: number): tf.Tensor2D;
  /** All vectors, row-major `[vocabulary, hidden]`; borrowed. */
  rows(): Promise<Float32Array>;
}

/** Frozen embeddings that are the head turned over: the model is held once, and a look-up picks columns of the head. */
export class TiedEmbedding implements TokenEmbedding {
  /** @param head - `[hidden, vocabulary]`, borrowed. */
  constructor(private readonly head: tf.Tensor2D) {}

  lookup(ids: readonly number[]): tf.Tensor2D {
    checkIds(ids, this.head.shape[1]);
    return tf.tidy(() => tf.transpose(tf.gather(this.head, tf.tensor1d([...ids], 'int32'), 1)));
  }

  columns(start: number, count: number): tf.Tensor2D {
    return tf.slice(this.head, [0, start], [-1, count]);
  }

  rows(): Promise<Float32Array> {
    return turnedOver(this.head);
  }
}

/** Frozen embeddings of their own, kept as a host table: a look-up copies a few rows and needs no gather kernel. */
export class FrozenEmbedding implements TokenEmbedding {
  constructor(
    /** Row-major `[vocabulary, hidden]`. */
    readonly table: Float32Array,
    private readonly hiddenSize: number,
  ) {}

  lookup(ids: readonly number[]): tf.Tensor2D {
    const size = this.hiddenSize;
    checkIds(ids, this.table.length / size);
    const rows = new Float32Array(ids.length * size);
    ids.forEach((id, i) => {
      rows.set(this.table.subarray(id * size, (id + 1) * size), i * size);
    });
    return tf.tensor2d(rows, [ids.length, size]);
  }

  columns(start: number, count: number): tf.Tensor2D {
    const size = this.hiddenSize;
    return tf.tidy(() => {
      const rows = tf.tensor2d(this.table.subarray(start * size, (start + count) * size), [count, size]);
      return tf.transpose(rows);
    });
  }

  rows(): Promise<Float32Array> {
    return Promise.resolve(this.table);
  }
}

/**
 * Trained embeddings, stored `[hidden, vocabulary]` as the head is, so that both can be one variable. The look-up is a
 * one-hot product, differentiable on every backend; meant for small vocabularies.
 */
export class TrainedEmbedding implements TokenEmbedding {
  constructor(readonly weight: tf.Variable<tf.Rank.R2>) {}

  lookup(ids: readonly number[]): tf.Tensor2D {
    const vocabulary = this.weight.shape[1];
    checkIds(ids, vocabulary);
    const oneHot = tf.oneHot(tf.tensor1d([...ids], 'int32'), vocabulary);
    return tf.matMul(tf.cast(oneHot, 'float32'), this.weight, false, true);
  }

  columns(start: number, count: number): tf.Tensor2D {
    return tf.slice(this.weight, [0, start], [-1, count]);
  }

  rows(): Promise<Float32Array> {
    return turnedOver(this.weight);
  }
}

async function turnedOver(weight: tf.Tensor2D): Promise<Float32Array> {
  const [hidden, vocabulary] = weight.shape;
  const values = new Float32Array(hidden * vocabulary);
  transposeInto(await weight.data<'float32'>(), hidden, vocabulary, values, hidden, 0);
  return values;
}

function checkIds(ids: readonly number[], vocabulary: number): void {
  const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (bad === undefined) return;
  throw new MemGenError({
    code: 'token-id',
    message: 'a token id lies outside the vocabulary',
    got: String(bad),
    expected: `0 to ${vocabulary - 1}`,
    hint: 'check that the tokenizer belongs to the model',
  });
}
