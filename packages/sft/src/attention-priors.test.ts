// Priors of attention: a head that looks one token back, keys that resemble queries.
import { startBackend, type Decoder } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  frozenDecoder,
  randomIds,
  readAtOnce,
  tinyConfig,
  trainableDecoder,
} from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { setPreviousTokenHead, tieKeysToQueries } from './attention-priors.js';

let before: number;
beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** One layer, so that what reaches a token comes through one attention. */
function oneLayer(changes: Record<string, unknown> = {}): Decoder {
  return trainableDecoder(
    tinyConfig({ num_hidden_layers: 1, num_attention_heads: 1, num_key_value_heads: 1, ...changes }),
  );
}

/** How much the last hidden state changes when the token `back` places before the last one is another. */
function influence(decoder: Decoder, back: number): number {
  const ids = randomIds(8, 1);
  const changed = ids.map((id, i) => (i === ids.length - 1 - back ? (id + 7) % 32 : id));
  const size = decoder.config.hiddenSize;
  const [a, b] = [ids, changed].map((row) => readAtOnce(decoder, [row])[0]!.slice(-size));
  return relativeDifference(b!, a!);
}

describe('setPreviousTokenHead', () => {
  it('makes the head attend to the token before, and to no other', async () => {
    const decoder = oneLayer();
    await setPreviousTokenHead(decoder, 40);
    expect(influence(decoder, 1)).toBeGreaterThan(0.05);
    for (const back of [2, 3, 4, 5, 6, 7]) expect(influence(decoder, back), `${back} back`).toBeLessThan(1e-3);
    decoder.dispose();
  });

  it('changes the first head of the first layer alone', async () => {
    const decoder = trainableDecoder(tinyConfig({ num_key_value_heads: 4 }));
    const read = () => decoder.weights.layers.map(({ queryKeyValue }) => [queryKeyValue.weight.arraySync(), queryKeyValue.bias!.arraySync()] as const); // prettier-ignore
    const [old, oldSecond] = read();
    await setPreviousTokenHead(decoder, 3);
    const [now, second] = read();
    expect(second).toEqual(oldSecond);
    const firstHead = (column: number) => column < 32 && column % 16 < 4;
    now![0].forEach((row, i) => {
      row.forEach((value, column) => {
        const expected = old![0][i]![column]! * (firstHead(column) ? 0.3 : 1);
        expect(value).toBeCloseTo(expected, 6);
      });
    });
    now![1].forEach((value, column) => {
      if (!firstHead(column)) expect(value).toBe(old![1][column]);
    });
    // Each pair of channels is a vector of the given length, in the query as in the key.
    for (const start of [0, 16]) {
      for (const pair of [0, 1]) {
        expect(Math.hypot(now![1][start + pair]!, now![1][start + 2 + pair]!)).toBeCloseTo(3, 5);
      }
    }
    decoder.dispose();
  });

  it('refuses architectures without biases, shared key-value heads, and frozen weights', async () => {
    const failure = expect.objectContaining({ code: 'attention-prior' }) as Error;
    const llama = oneLayer({ model_type: 'llama' });
    const grouped = oneLayer({ num_attention_heads: 2 });
    const frozen = await frozenDecoder(tinyConfig({ num_key_value_heads: 4 }));
    for (const decoder of [llama, grouped, frozen]) {
      await expect(setPreviousTokenHead(decoder, 1)).rejects.toEqual(failure);
    }
    for (const decoder of [grouped, frozen]) {
      expect(() => {
        tieKeysToQueries(decoder, 1);
      }).toThrow(failure);
    }
    for (const decoder of [llama, grouped, frozen]) decoder.dispose();
  });
});

describe('tieKeysToQueries', () => {
  const parts = (decoder: Decoder) =>
    decoder.weights.layers.map(({ queryKeyValue }) =>
      tf.tidy(() => tf.split(queryKeyValue.weight, 3, 1).map((part) => [...part.dataSync()])),
    );

  it.each([0, 0.6, 1])('mixes queries into the keys of every layer, to the part %d', (tie) => {
    const decoder = trainableDecoder(tinyConfig({ num_key_value_heads: 4 }));
    const old = parts(decoder);
    tieKeysToQueries(decoder, tie);
    parts(decoder).forEach(([query, key, value], layer) => {
      const [oldQuery, oldKey, oldValue] = old[layer]!;
      expect(query).toEqual(oldQuery);
      expect(value).toEqual(oldValue);
      const mixed = oldKey!.map((k, i) => Math.sqrt(1 - tie * tie) * k + tie * oldQuery![i]!);
      expect(relativeDifference(key!, mixed)).toBeLessThan(1e-6);
    });
    decoder.dispose();
  });
});
