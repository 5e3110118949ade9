// The arithmetic behind the limits, for a model that can be counted by hand and for SmolLM2-135M.
import type { DecoderConfig } from '@memgen/core';
import { describe, expect, it } from 'vitest';
import { adapterStepOperations, decodingBytes, prefillOperations } from './least-work.js';

const smollm = {
  ...{ layers: 30, hiddenSize: 576, intermediateSize: 1536, heads: 9, keyValueHeads: 3, headSize: 64 },
  vocabularySize: 49_152,
} as DecoderConfig;
const small = {
  ...{ layers: 1, hiddenSize: 2, intermediateSize: 3, heads: 1, keyValueHeads: 1, headSize: 2, vocabularySize: 5 },
} as DecoderConfig;

describe('prefillOperations', () => {
  it('counts layers for every token, the head once, attention causally', () => {
    // Layer: 2x6 for query, key, value; 2x2 for the output; three of 2x3: 34 weights. Head: 2x5.
    // Attention of 2 tokens: 1 + 2 pairs, two products of 2 multiply-adds each: 3 * 2 * 2 * 2.
    expect(prefillOperations(small, 2)).toBe(2 * 34 * 2 + 2 * 10 + 24);
  });

  it('is about two operations a parameter and token', () => {
    const layerParameters = 134_515_008 - 49_152 * 576;
    expect(prefillOperations(smollm, 256) / (2 * layerParameters * 256)).toBeCloseTo(1.04, 1);
  });
});

describe('adapterStepOperations', () => {
  it('counts forwards once and backwards once, for the weights are frozen', () => {
    expect(adapterStepOperations(small, 2)).toBe(2 * (2 * 44 * 2) + 3 * 24);
  });
});

it('decoding reads the weights once for all rows, the cache of each row', () => {
  expect(decodingBytes({ batch: 4, columns: 100, weightBytes: 1e6, cacheBytes: 50 })).toBe(1e6 + 20_000);
});
