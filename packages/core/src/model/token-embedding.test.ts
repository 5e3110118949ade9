// Looking up token vectors, frozen and trained.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { FrozenEmbedding, TiedEmbedding, TrainedEmbedding, type TokenEmbedding } from './token-embedding.js';

const [vocabulary, size] = [4, 3];
const table = Float32Array.from({ length: vocabulary * size }, (_, i) => i);

beforeAll(() => startBackend({ backend: 'wasm' }));

function head(): tf.Tensor2D {
  return tf.tidy(() => tf.transpose(tf.tensor2d(table, [vocabulary, size])));
}

function trained(): TrainedEmbedding {
  return new TrainedEmbedding(tf.tidy(() => tf.variable(head())));
}

describe.each([
  ['FrozenEmbedding', (): TokenEmbedding => new FrozenEmbedding(table, size)],
  ['TiedEmbedding', (): TokenEmbedding => new TiedEmbedding(head())],
  ['TrainedEmbedding', (): TokenEmbedding => trained()],
])('%s', (_, make) => {
  it('looks up rows, one as often as it is asked for', () => {
    const embedding = make();
    const rows = tf.tidy(() => embedding.lookup([2, 0, 2]).arraySync());
    expect(rows).toEqual([
      [6, 7, 8],
      [0, 1, 2],
      [6, 7, 8],
    ]);
  });

  it('gives neighbouring tokens side by side', () => {
    expect(tf.tidy(() => make().columns(1, 2).arraySync())).toEqual([
      [3, 6],
      [4, 7],
      [5, 8],
    ]);
  });

  it('gives its table in the layout of files', async () => {
    expect(await make().rows()).toEqual(table);
  });

  it.each([4, -1, 1.5, NaN])('refuses the id %d', (id) => {
    const embedding = make();
    const failure = { code: 'token-id', got: String(id), expected: '0 to 3' };
    expect(() => embedding.lookup([1, id])).toThrow(expect.objectContaining(failure));
  });
});

describe('TrainedEmbedding', () => {
  it('adds up the gradients of a token that stands several times', () => {
    const before = tf.memory().numTensors;
    const embedding = trained();
    const { value, grads } = tf.variableGrads(
      () => tf.sum(tf.mul(embedding.lookup([1, 3, 1]), tf.tensor2d([1, 2, 4], [3, 1]))).asScalar(),
      [embedding.weight],
    );
    expect(grads[embedding.weight.name]!.arraySync()).toEqual([
      [0, 5, 0, 2],
      [0, 5, 0, 2],
      [0, 5, 0, 2],
    ]);
    tf.dispose([value, grads, embedding.weight]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
