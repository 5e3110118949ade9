// Attention with grouped heads against a loop over heads, tokens and columns.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { attend, attention, attentionGradient } from './attention.js';
import { expectOperation, randomValues, relativeDifference } from './operation-check.test-helper.js';

interface Sizes {
  batch: number;
  heads: number;
  keyValueHeads: number;
  tokens: number;
  columns: number;
  size: number;
}

function attentionReference({ batch, heads, keyValueHeads, tokens, columns, size }: Sizes, biasBatch: number) {
  return (query: number[], key: number[], value: number[], bias?: number[]): number[] => {
    const out: number[] = [];
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        const shared = b * keyValueHeads + Math.floor(h / (heads / keyValueHeads));
        for (let t = 0; t < tokens; t++) {
          const from = ((b * heads + h) * tokens + t) * size;
          const scores = Array.from({ length: columns }, (_, c) => {
            let score = 0;
            for (let i = 0; i < size; i++) score += query[from + i]! * key[(shared * columns + c) * size + i]!;
            return score / Math.sqrt(size) + (bias?.[((b % biasBatch) * tokens + t) * columns + c] ?? 0);
          });
          const largest = Math.max(...scores);
          const weights = scores.map((score) => Math.exp(score - largest));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          for (let i = 0; i < size; i++) {
            out.push(weights.reduce((sum, w, c) => sum + (w / total) * value[(shared * columns + c) * size + i]!, 0));
          }
        }
      }
    }
    return out;
  };
}

function check(sizes: Sizes, biasBatch?: number): void {
  const { batch, heads, keyValueHeads, tokens, columns, size } = sizes;
  const inputs = [
    randomValues([batch, heads, tokens, size], 1),
    randomValues([batch, keyValueHeads, columns, size], 2),
    randomValues([batch, keyValueHeads, columns, size], 3),
  ];
  if (biasBatch !== undefined) {
    // Causal, and in the last row of the batch the first column hidden as padding is.
    const data = Array.from({ length: biasBatch * tokens * columns }, (_, at) => {
      const [column, token, row] = [at % columns, Math.floor(at / columns) % tokens, Math.floor(at / columns / tokens)];
      const hidden = column > columns - tokens + token || (row > 0 && row === biasBatch - 1 && column === 0);
      return hidden ? -1e9 : 0;
    });
    inputs.push({ shape: [biasBatch, 1, tokens, columns], data });
  }
  expectOperation({
    inputs,
    differentiate: [0, 1, 2],
    operation: (...[query, key, value, bias]) =>
      attention(query as tf.Tensor4D, key as tf.Tensor4D, value as tf.Tensor4D, bias as tf.Tensor4D | undefined),
    reference: attentionReference(sizes, biasBatch ?? 1) as (...inputs: number[][]) => number[],
  });
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('attention', () => {
  it('sees everything without a bias', () => {
    check({ batch: 2, heads: 2, keyValueHeads: 2, tokens: 3, columns: 3, size: 4 });
  });

  it('shares one key-value head among the queries of a group', () => {
    check({ batch: 2, heads: 4, keyValueHeads: 2, tokens: 2, columns: 3, size: 2 });
  });

  it('obeys a bias that the batch shares, with columns that came before', () => {
    check({ batch: 2, heads: 4, keyValueHeads: 2, tokens: 2, columns: 5, size: 2 }, 1);
  });

  it('obeys a bias of its own for each row', () => {
    check({ batch: 2, heads: 4, keyValueHeads: 1, tokens: 3, columns: 4, size: 2 }, 2);
  });

  it('reads one token', () => {
    check({ batch: 3, heads: 2, keyValueHeads: 1, tokens: 1, columns: 4, size: 4 });
  });

  it('weighs hidden columns with exactly zero', () => {
    const got = tf.tidy(() => {
      const [query, key, value] = [[1], [5, 1], [7, 3]].map((data) => tf.tensor4d(data, [1, 1, data.length, 1]));
      return attention(query!, key!, value!, tf.tensor4d([-1e9, 0], [1, 1, 1, 2])).dataSync();
    });
    expect([...got]).toEqual([3]);
  });

  it('computes many tokens in blocks, with the gradients that the kernel of the wasm backend finds at once', async () => {
    const [batch, heads, keyValueHeads, tokens, columns, size] = [2, 4, 2, 530, 537, 4];
    const bias = Array.from({ length: batch * tokens * columns }, (_, at) => {
      const [column, token, row] = [at % columns, Math.floor(at / columns) % tokens, Math.floor(at / columns / tokens)];
      return column > columns - tokens + token || (row === 1 && column < 3) ? -1e9 : 0;
    });
    const compute = async (backend: 'cpu' | 'wasm') => {
      await startBackend({ backend });
      const tensors = tf.tidy(() => {
        const [query, key, value, dOutput] = [heads, keyValueHeads, keyValueHeads, heads].map((count, i) => {
          const shape: [number, number, number, number] = [batch, count, i === 0 || i === 3 ? tokens : columns, size];
          return tf.tensor4d(randomValues(shape, i).data as number[], shape);
        }) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
        const inputs = { query, key, value };
        const hidden = tf.tensor4d(bias, [batch, 1, tokens, columns]);
        const { output, weights } = attend(inputs, hidden);
        expect(weights).toBeUndefined();
        return [output, ...Object.values(attentionGradient(dOutput, inputs, hidden))] as tf.Tensor[];
      });
      const values = await Promise.all(tensors.map((tensor) => tensor.data<'float32'>()));
      tf.dispose(tensors);
      return values;
    };
    const inBlocks = await compute('cpu');
    const atOnce = await compute('wasm');
    inBlocks.forEach((values, i) => {
      expect(relativeDifference(values, atOnce[i]!)).toBeLessThan(1e-4);
    });
  });
});
