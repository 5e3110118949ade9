// Several adapters at once: passes that add up, and one adapter made of them.
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { Tape } from '../training/tape.js';
import { combineAdapters } from './combine-adapters.js';
import type { Decoder } from './decoder.js';
import { loadAdapter, saveAdapter } from './lora-files.js';
import type { LoraAdapter, LoraConfig } from './lora.js';
import { busyAdapter } from './lora.test-helper.js';
import type { AdapterPasses } from './projection.js';
import { frozenDecoder, randomIds, tinyConfig } from './tiny-decoder.test-helper.js';

const config = tinyConfig();
const ids = randomIds(6, 3);
const mask = [ids.map(() => 1)];

beforeAll(() => startBackend({ backend: 'wasm' }));

function two(): [LoraAdapter, LoraAdapter] {
  const lora: LoraConfig = { r: 3, alpha: 6, dropout: 0.5, targetModules: ['q_proj', 'v_proj', 'down_proj'] };
  const other: LoraConfig = { r: 2, alpha: 1, targetModules: 'all-linear', rankPattern: { v_proj: 4 }, rslora: true };
  return [busyAdapter(config, lora, 1), busyAdapter(config, other, 7)];
}

function forward(decoder: Decoder, adapter?: AdapterPasses): Float32Array {
  return tf.tidy(() => {
    const cache = decoder.createCache(1, 'parts');
    return decoder.forward(decoder.embed(ids), mask, { cache, adapter }).dataSync<'float32'>();
  });
}

/** Gradients of a weighted sum of the outputs, by variable. */
function gradients(decoder: Decoder, adapter: AdapterPasses): Map<tf.Variable, Float32Array> {
  const tape = new Tape();
  const cache = decoder.createCache(1, 'parts');
  const inputs = decoder.embed(ids);
  const output = decoder.forward(inputs, mask, { cache, adapter, execution: tape });
  const gradient = tf.tidy(() => tf.sin(tf.reshape(tf.range(0, output.size), output.shape)));
  const found = tape.backward([{ output, gradient }]);
  const values = new Map([...found].map(([variable, tensor]) => [variable, tensor.dataSync<'float32'>().slice()]));
  tf.dispose([inputs, gradient, ...found.values()]);
  tape.dispose();
  return values;
}

describe('several adapters in one pass', () => {
  it('add up', async () => {
    const decoder = await frozenDecoder(config);
    const [first, second] = two();
    const both = forward(decoder, [{ adapter: first }, { adapter: second }]);
    expect(forward(decoder, [{ adapter: first }])).toEqual(forward(decoder, { adapter: first }));
    expect(forward(decoder, [])).toEqual(forward(decoder));
    for (const one of [first, second]) {
      expect(relativeDifference(forward(decoder, { adapter: one }), both)).toBeGreaterThan(1e-2);
    }
    const combined = combineAdapters([{ adapter: first }, { adapter: second }]);
    expect(relativeDifference(forward(decoder, { adapter: combined }), both)).toBeLessThan(1e-5);
    for (const owner of [first, second, combined, decoder]) owner.dispose();
  });

  it('each get the gradient that finite differences give', async () => {
    const decoder = await frozenDecoder(config);
    const [first, second] = two();
    // The first with dropout, whose mask must be that of the forward pass.
    const passes = [{ adapter: first, dropoutSeed: 11 }, { adapter: second }];
    const before = tf.memory().numTensors;
    const exact = gradients(decoder, passes);
    expect(tf.memory().numTensors).toBe(before);
    const loss = () => forward(decoder, passes).reduce((sum, value, i) => sum + value * Math.sin(i), 0);
    for (const { modules } of [first, second]) {
      for (const key of ['layers.0.self_attn.v_proj', 'layers.1.self_attn.q_proj', 'layers.0.mlp.down_proj']) {
        for (const variable of [modules.get(key)!.a, modules.get(key)!.b]) {
          const gradient = exact.get(variable)!;
          for (const place of [0, Math.floor(gradient.length / 2)]) {
            const expected = centralDifference(variable, place, loss);
            expect(Math.abs(gradient[place]! - expected)).toBeLessThan(2e-2 * Math.abs(expected) + 2e-2);
          }
        }
      }
    }
    for (const owner of [first, second, decoder]) owner.dispose();
  });

  it('share one copy of the base: a pass with a further adapter holds nothing but the adapter', async () => {
    const decoder = await frozenDecoder(config);
    const { numBytes } = tf.memory();
    const adapters = [...two(), ...two()];
    const own = adapters.flatMap(({ modules }) => [...modules.values()].flatMap(({ a, b }) => [a.size, b.size]));
    for (const adapter of adapters) forward(decoder, { adapter });
    expect(tf.memory().numBytes - numBytes).toBe(4 * own.reduce((sum, size) => sum + size, 0));
    for (const owner of [...adapters, decoder]) owner.dispose();
  });
});

function centralDifference(variable: tf.Variable, place: number, loss: () => number): number {
  const values = variable.dataSync<'float32'>().slice();
  const at = (shift: number): number => {
    const shifted = values.slice();
    shifted[place]! += shift;
    tf.tidy(() => {
      variable.assign(tf.tensor(shifted, variable.shape));
    });
    return loss();
  };
  const step = 1e-2;
  const difference = (at(step) - at(-step)) / (2 * step);
  at(0);
  return difference;
}

describe('combineAdapters', () => {
  it('weighs, and comes back from a folder', async () => {
    const decoder = await frozenDecoder(config);
    const [first, second] = two();
    const combined = combineAdapters([
      { adapter: first, weight: 0.5 },
      { adapter: second, weight: -2 },
    ]);
    for (const { modules } of [first, second]) {
      const factor = modules === first.modules ? 0.5 : -2;
      for (const { b } of modules.values()) tf.tidy(() => { b.assign(tf.mul(b, factor)); }); // prettier-ignore
    }
    const expected = forward(decoder, [{ adapter: first }, { adapter: second }]);
    expect(relativeDifference(forward(decoder, { adapter: combined }), expected)).toBeLessThan(1e-5);
    const folder = await mkdtemp(join(tmpdir(), 'memgen-combined-'));
    await saveAdapter(folder, combined);
    const loaded = await loadAdapter(folder, config);
    expect(forward(decoder, { adapter: loaded })).toEqual(forward(decoder, { adapter: combined }));
    await rm(folder, { recursive: true });
    for (const owner of [first, second, combined, loaded, decoder]) owner.dispose();
  });

  it('refuses nothing, and adapters of different models', () => {
    expect(() => combineAdapters([])).toThrow(expect.objectContaining({ code: 'adapter-combination' }));
    const lora = { r: 2, alpha: 2, targetModules: ['q_proj'] };
    const adapters = [config, tinyConfig({ hidden_size: 32 })].map((config) => busyAdapter(config, lora));
    const before = tf.memory().numTensors;
    const combine = () => combineAdapters(adapters.map((adapter) => ({ adapter })));
    expect(combine).toThrow(expect.objectContaining({ code: 'adapter-shape' }));
    expect(tf.memory().numTensors).toBe(before);
    for (const adapter of adapters) adapter.dispose();
  });
});
