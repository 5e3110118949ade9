// The decoder reads the same whether at once or token by token, padded or not, alone or in a batch.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { decoderParameters } from './decoder-weights.js';
import type { Decoder } from './decoder.js';
import type { KeyValueCache } from './key-value-cache.js';
import {
  architectures,
  frozenDecoder,
  randomIds,
  readAtOnce,
  tinyConfig,
  trainableDecoder,
} from './tiny-decoder.test-helper.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

function read(
  decoder: Decoder,
  cache: KeyValueCache,
  ids: readonly number[],
  { mask = [ids.map(() => 1)], keep }: { mask?: number[][]; keep?: number } = {},
): Float32Array {
  const options = { cache, ...(keep !== undefined && { keep }) };
  return tf.tidy(() => decoder.forward(decoder.embed(ids), mask, options).dataSync() as Float32Array);
}

describe.each(architectures)('a decoder like $model_type', (changes) => {
  const config = tinyConfig(changes);
  const size = config.hiddenSize;

  it('gives the same hidden states at once, in spans and token by token', async () => {
    const before = tf.memory().numTensors;
    const decoder = await frozenDecoder(config);
    const ids = randomIds(9, 1);
    const [whole] = readAtOnce(decoder, [ids]);
    for (const spans of [
      [1, 1, 1, 1, 1, 1, 1, 1, 1],
      [4, 5],
      [6, 1, 2],
    ]) {
      const cache = decoder.createCache(1);
      let start = 0;
      for (const length of spans) {
        const hidden = read(decoder, cache, ids.slice(start, start + length));
        const expected = whole!.subarray(start * size, (start + length) * size);
        expect(relativeDifference(hidden, expected)).toBeLessThan(1e-4);
        start += length;
      }
      cache.dispose();
    }
    decoder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('sees no token from the future', async () => {
    const decoder = await frozenDecoder(config);
    const ids = randomIds(6, 2);
    const [whole] = readAtOnce(decoder, [ids]);
    const [changed] = readAtOnce(decoder, [[...ids.slice(0, 4), (ids[4]! + 1) % 32, ids[5]!]]);
    expect(relativeDifference(changed!.subarray(0, 4 * size), whole!.subarray(0, 4 * size))).toBe(0);
    expect(relativeDifference(changed!.subarray(4 * size), whole!.subarray(4 * size))).toBeGreaterThan(1e-2);
    decoder.dispose();
  });

  it('reads rows of a batch as it reads each alone, padded on either side', async () => {
    const decoder = await frozenDecoder(config);
    const sequences = [randomIds(7, 3), randomIds(2, 4), randomIds(5, 5)];
    const alone = sequences.map((ids) => readAtOnce(decoder, [ids])[0]!);
    for (const side of ['left', 'right'] as const) {
      readAtOnce(decoder, sequences, side).forEach((hidden, row) => {
        expect(relativeDifference(hidden, alone[row]!)).toBeLessThan(1e-4);
      });
    }
    decoder.dispose();
  });
});

describe('Decoder.forward', () => {
  const config = tinyConfig();
  const size = config.hiddenSize;

  it('leaves no trace of columns that are not kept', async () => {
    const decoder = await frozenDecoder(config);
    const [prompt, queries, rest] = [randomIds(4, 1), randomIds(2, 2), randomIds(3, 3)];
    const [expected] = readAtOnce(decoder, [[...prompt, ...rest]]);
    for (const ownership of ['merged', 'parts'] as const) {
      tf.tidy(() => {
        const cache = decoder.createCache(1, ownership);
        const options = { cache, keep: prompt.length };
        const first = decoder.forward(decoder.embed([...prompt, ...queries]), [[1, 1, 1, 1, 1, 1]], options);
        expect(relativeDifference(first.dataSync().slice(0, 4 * size), expected!.slice(0, 4 * size))).toBeLessThan(1e-5); // prettier-ignore
        expect(cache.columns.length).toBe(4);
        decoder.forward(decoder.embed(queries), [[1, 1]], { cache, keep: 0 });
        const last = decoder.forward(decoder.embed(rest), [[1, 1, 1]], { cache });
        expect(relativeDifference(last.dataSync(), expected!.slice(4 * size))).toBeLessThan(1e-4);
        cache.dispose();
      });
    }
    decoder.dispose();
  });

  it('gives the last hidden states alone as it gives them among all, and remembers every column', async () => {
    const decoder = await frozenDecoder(config);
    const mask = [[0, 1, 1, 1], [1, 1, 1, 1]]; // prettier-ignore
    tf.tidy(() => {
      const [all, ends] = [undefined, 2].map((last) => {
        const cache = decoder.createCache(2);
        const first = decoder.forward(decoder.embed(randomIds(8, 1)), mask, { cache, ...(last && { last }) });
        const behind = decoder.forward(decoder.embed(randomIds(2, 2)), [[1], [1]], { cache });
        cache.dispose();
        return { first: tf.reshape(first, [2, -1, size]), behind };
      }) as [{ first: tf.Tensor3D; behind: tf.Tensor2D }, { first: tf.Tensor3D; behind: tf.Tensor2D }];
      const wanted = tf.slice(all.first, [0, 2, 0], [2, 2, size]);
      expect(relativeDifference(ends.first.dataSync(), wanted.dataSync())).toBeLessThan(1e-5);
      expect(relativeDifference(ends.behind.dataSync(), all.behind.dataSync())).toBeLessThan(1e-5);
      const cache = decoder.createCache(1);
      for (const last of [0, 3]) {
        const read = () => decoder.forward(decoder.embed([1, 2]), [[1, 1]], { cache, last });
        expect(read).toThrow(expect.objectContaining({ code: 'decoder-input', got: `last: ${last}` }));
      }
      expect(cache.columns.length).toBe(0);
    });
    decoder.dispose();
  });

  it('gives query columns what they would see if they were read at the end', async () => {
    const decoder = await frozenDecoder(config);
    const [prompt, queries] = [randomIds(4, 1), randomIds(2, 2)];
    const [expected] = readAtOnce(decoder, [[...prompt, ...queries]]);
    const cache = decoder.createCache(1);
    read(decoder, cache, prompt.slice(0, 2));
    const hidden = read(decoder, cache, [...prompt.slice(2), ...queries], { keep: 2 });
    expect(relativeDifference(hidden, expected!.slice(2 * size))).toBeLessThan(1e-4);
    cache.dispose();
    decoder.dispose();
  });

  it('goes on with the leading rows of a parted cache', async () => {
    const decoder = await frozenDecoder(config);
    const rows = [randomIds(5, 1), randomIds(5, 2)];
    const expected = readAtOnce(decoder, rows);
    tf.tidy(() => {
      const cache = decoder.createCache(2, 'parts');
      decoder.forward(decoder.embed(rows.flatMap((ids) => ids.slice(0, 3))), [[1, 1, 1], [1, 1, 1]], { cache }); // prettier-ignore
      const hidden = decoder.forward(decoder.embed(rows[0]!.slice(3)), [[1, 1]], { cache });
      expect(relativeDifference(hidden.dataSync(), expected[0]!.slice(3 * size))).toBeLessThan(1e-4);
    });
    decoder.dispose();
  });

  it('goes on with the rows selected from a merged cache', async () => {
    const decoder = await frozenDecoder(config);
    const rows = [randomIds(5, 1), randomIds(5, 2), randomIds(5, 3)];
    const expected = readAtOnce(decoder, rows);
    const cache = decoder.createCache(3);
    const heads = rows.map((ids) => ids.slice(0, 3));
    read(decoder, cache, heads.flat(), { mask: heads.map((ids) => ids.map(() => 1)) });
    const chosen = cache.select([2, 0]);
    cache.dispose();
    const tails = [rows[2]!.slice(3), rows[0]!.slice(3)];
    const hidden = read(decoder, chosen, tails.flat(), { mask: tails.map((ids) => ids.map(() => 1)) });
    expect(relativeDifference(hidden, [...expected[2]!.slice(3 * size), ...expected[0]!.slice(3 * size)])).toBeLessThan(1e-4); // prettier-ignore
    chosen.dispose();
    decoder.dispose();
  });

  it('is finite for rows that are padding throughout', async () => {
    const decoder = await frozenDecoder(config);
    const cache = decoder.createCache(2);
    const hidden = read(decoder, cache, [1, 2, 0, 0], { mask: [[1, 1], [0, 0]] }); // prettier-ignore
    expect(hidden.every(Number.isFinite)).toBe(true);
    cache.dispose();
    decoder.dispose();
  });
});

describe('Decoder.logits and Decoder.embed', () => {
  it('use one matrix where the embeddings are tied', async () => {
    for (const tied of [true, false]) {
      const decoder = await frozenDecoder(tinyConfig({ tie_word_embeddings: tied }));
      const [rows, logits] = tf.tidy(() => {
        const all = decoder.embed(Array.from({ length: 32 }, (_, id) => id));
        const hidden = tf.eye(16);
        return [tf.transpose(all).dataSync(), decoder.logits(hidden).dataSync()];
      }) as [Float32Array, Float32Array];
      expect(relativeDifference(logits, rows) < 1e-6).toBe(tied);
      decoder.dispose();
    }
  });
});

describe('a trainable decoder', () => {
  it.each(architectures)('has gradients for each of its parameters ($model_type)', (changes) => {
    const before = tf.memory().numTensors;
    const decoder = trainableDecoder(tinyConfig(changes));
    const parameters = [...decoderParameters(decoder.weights)];
    const ids = randomIds(5, 1);
    const { value, grads } = tf.variableGrads(() => {
      const cache = decoder.createCache(1, 'parts');
      const hidden = decoder.forward(decoder.embed(ids), [ids.map(() => 1)], { cache });
      return tf.sum(tf.square(decoder.logits(hidden))).asScalar();
    });
    for (const [name, variable] of parameters) {
      const gradient = grads[variable.name]!;
      expect(gradient.shape, name).toEqual(variable.shape);
      const largest = Math.max(...gradient.dataSync().map(Math.abs));
      expect(largest, name).toBeGreaterThan(1e-6);
      expect(largest, name).toBeLessThan(Infinity);
    }
    tf.dispose([value, grads]);
    decoder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
