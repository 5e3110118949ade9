// Rows read at their own pace, on the backend and by a step decoder, against each row read alone and at once.
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import type { Decoder } from '../model/decoder.js';
import { busyAdapter } from '../model/lora.test-helper.js';
import type { LoraAdapter } from '../model/lora.js';
import { frozenDecoder, randomIds, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { readerOpener, type InferenceReader } from './inference-reader.js';
import { joinVectors } from './row-vectors.js';

let decoder: Decoder;
let adapter: LoraAdapter;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig());
  adapter = busyAdapter(decoder.config, { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] });
});
afterAll(() => {
  adapter.dispose();
  decoder.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** Hidden states of the last columns of a row that is read alone and at once. */
function alone(ids: readonly number[], last = 1): Float32Array {
  const cache = decoder.createCache(1);
  const values = tf.tidy(() =>
    decoder.forward(decoder.embed(ids), [ids.map(() => 1)], { cache, adapter: { adapter } }).dataSync<'float32'>(),
  );
  cache.dispose();
  return values.slice(-last * decoder.config.hiddenSize);
}

function expectClose(got: Float32Array | undefined, expected: Float32Array): void {
  expect(relativeDifference(got ?? [], expected)).toBeLessThan(1e-5);
}

const a = randomIds(9, 1);
const b = randomIds(6, 2);

describe.each(['backend', 'step'] as const)('a reader by %s', (decoding) => {
  const open = readerOpener({ decoding, chunk: 4 });
  const withReader = async (rows: number, body: (reader: InferenceReader) => Promise<void>) => {
    const reader = open(decoder, { rows, adapter });
    try {
      await body(reader);
    } finally {
      reader.dispose();
    }
  };

  it('reads each row at its own pace', () =>
    withReader(2, async (reader) => {
      const embed = (ids: readonly number[]) => reader.embed(ids);
      const first = await reader.hidden([await embed(a.slice(0, 6)), await embed(b.slice(0, 2))]);
      expectClose(first[0], alone(a.slice(0, 6)));
      expectClose(first[1], alone(b.slice(0, 2)));
      const second = await reader.hidden([undefined, await embed(b.slice(2))], { last: 3 });
      expect(second[0]).toBeUndefined();
      expectClose(second[1], alone(b, 3));
      expectClose((await reader.hidden([await embed(a.slice(6)), undefined]))[0], alone(a));
    }));

  it('keeps no trace of what it is to forget', () =>
    withReader(1, async (reader) => {
      const queries = randomIds(3, 3);
      const read = joinVectors([await reader.embed(a.slice(0, 5)), await reader.embed(queries)]);
      expectClose((await reader.hidden([read], { last: 3, forget: 3 }))[0], alone([...a.slice(0, 5), ...queries], 3));
      expectClose((await reader.hidden([await reader.embed(a.slice(5))]))[0], alone(a));
    }));

  it('goes on with rows in another order, and with several of each', () =>
    withReader(2, async (reader) => {
      await reader.hidden([await reader.embed(a.slice(0, 4)), await reader.embed(b.slice(0, 4))]);
      expect(await reader.repeat(2)).toEqual([0, 0, 1, 1]);
      reader.select([3, 0]);
      expect(reader.size).toBe(2);
      const got = await reader.hidden([await reader.embed(b.slice(4)), await reader.embed(a.slice(4))]);
      expectClose(got[0], alone(b));
      expectClose(got[1], alone(a));
    }));

  it('predicts what follows the rows that read', () =>
    withReader(2, async (reader) => {
      const [logits, none] = await reader.logits([await reader.embed(a), undefined]);
      const hidden = tf.tensor2d(alone(a), [1, decoder.config.hiddenSize]);
      const expected = decoder.logits(hidden);
      expectClose(logits, expected.dataSync<'float32'>());
      expect(none).toBeUndefined();
      tf.dispose([hidden, expected]);
    }));
});
