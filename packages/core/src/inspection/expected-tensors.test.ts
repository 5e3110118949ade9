// Expected tensors against those of real decoders, and the limits of backends.
import { Random } from '@memgen/common';
import { beforeAll, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { exportDecoderWeights, initializeDecoderWeights } from '../model/decoder-weights.js';
import { Decoder } from '../model/decoder.js';
import { architectures, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { estimateMemory } from '../reasoner/memory-estimate.js';
import { memoryByBackend } from './backend-memory.js';
import { compareTensors, expectedTensors } from './expected-tensors.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

it.each(architectures)('are those that a decoder of %j is written with', async (changes) => {
  const config = tinyConfig(changes);
  const decoder = new Decoder(config, initializeDecoderWeights(config, Random.fromSeed(1)));
  const written = await exportDecoderWeights(decoder.weights, config);
  decoder.dispose();
  const shapes = written.map(({ name, shape }) => [name, shape] as const);
  expect(new Map([...expectedTensors(config)].sort())).toEqual(new Map(shapes.sort()));
  const stored = shapes.map(([name, shape]) => ({ name, shape, dtype: 'BF16', byteLength: 0 }));
  expect(compareTensors(config, stored, { quantised: false })).toEqual({ errors: [], unused: [] });
});

it('on wasm have to stay within its address space', () => {
  const problems = (weights: number) =>
    memoryByBackend({ weights, embeddingTable: 5, loading: 7, toLoad: weights + 12, cachePerToken: 1 })
      .filter(({ problem }) => problem !== undefined)
      .map(({ backend }) => backend);
  expect(problems(4e9)).toEqual([]);
  expect(problems(5e9)).toEqual(['wasm']);
  expect(memoryByBackend(estimateMemory(tinyConfig())).map(({ backend }) => backend)).toEqual([
    'tensorflow-gpu',
    'tensorflow',
    'webgpu',
    'wasm',
    'cpu',
  ]);
});
