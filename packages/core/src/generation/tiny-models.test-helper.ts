// A tiny reasoner, weaver, trigger and adapter for tests of generation, with a check that no tensor is left behind.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { startBackend } from '../backend/index.js';
import type { Trigger, Weaver } from '../memgen/index.js';
import type { Decoder } from '../model/decoder.js';
import { LoraAdapter } from '../model/lora.js';
import { frozenDecoder, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../text/__fixtures__/small-tokenizer.js';
import type { Tokenizer } from '../text/tokenizer.js';

export interface TinyModels {
  /** 32 tokens: the characters "!" to "@"; id 11 is the comma, id 13 the period. */
  decoder: Decoder;
  tokenizer: Tokenizer;
  weaver: Weaver;
  trigger: Trigger;
  /** Trained so far that it changes what is generated. */
  adapter: LoraAdapter;
}

/** Settings of an adapter that touches every matrix. */
export const tinyLora = { r: 2, alpha: 4, targetModules: 'all-linear' };

/**
 * Models for the tests of a file, on the wasm backend; each test must leave the number of tensors as it was.
 * @param make - makes what other packages have: only tests may know them.
 */
export function useTinyModels(make: (decoder: Decoder) => Pick<TinyModels, 'weaver' | 'trigger'>): TinyModels {
  // A padding token that the decoder knows.
  const models = { tokenizer: smallTokenizer({ config: { pad_token: '!' } }) } as TinyModels;
  let before: number;
  beforeAll(async () => {
    await startBackend({ backend: 'wasm' });
    const decoder = await frozenDecoder(tinyConfig());
    const adapter = LoraAdapter.initialize(decoder.config, tinyLora, Random.fromSeed(5));
    const random = Random.fromSeed(6);
    for (const { b } of adapter.modules.values()) {
      tf.tidy(() => {
        b.assign(
          tf.tensor2d(
            Float32Array.from({ length: b.size }, () => random.normal()),
            b.shape,
          ),
        );
      });
    }
    Object.assign(models, { decoder, adapter, ...make(decoder) });
  });
  afterAll(() => {
    for (const model of [models.adapter, models.trigger, models.weaver, models.decoder]) model.dispose();
  });
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });
  return models;
}
