// Reading with low-rank adapters, against the decoder with the same adapters.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import type { Decoder } from '../model/decoder.js';
import { adaptableModules, LoraAdapter, type LoraConfig } from '../model/lora.js';
import { busyAdapter } from '../model/lora.test-helper.js';
import { architectures, frozenDecoder, randomIds, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { StepDecoder } from './step-decoder.js';
import { lastHidden } from './step-decoder.test-helper.js';

const tolerance = 1e-4;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'cpu' });
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

function code(code: string): unknown {
  return expect.objectContaining({ code });
}

interface Scene {
  decoder: Decoder;
  step: StepDecoder;
  /** An adapter whose B is not zero; disposed in the end. */
  adapterOf: (changes: Partial<LoraConfig>, seed?: number) => LoraAdapter;
}

async function withDecoders(
  changes: Record<string, unknown>,
  use: (scene: Scene) => void | Promise<void>,
): Promise<void> {
  const decoder = await frozenDecoder(tinyConfig(changes));
  const step = await StepDecoder.create(decoder);
  const made: { dispose: () => void }[] = [decoder, step];
  await use({
    decoder,
    step,
    adapterOf(changes, seed = 5) {
      const adapter = busyAdapter(decoder.config, { r: 3, alpha: 6, targetModules: 'all-linear', ...changes }, seed);
      made.push(adapter);
      return adapter;
    },
  });
  for (const owner of made) owner.dispose();
}

describe('StepDecoder.read with an adapter', () => {
  const odd = { model_type: 'llama', hidden_size: 21, intermediate_size: 13, head_dim: 6, vocab_size: 35 };
  it.each([...architectures, odd])('computes what the decoder of %o with it computes', async (changes) => {
    await withDecoders(changes, async ({ decoder, step, adapterOf }) => {
      // Ranks that differ between modules of one matrix.
      const adapter = adapterOf({ rankPattern: { k_proj: 5, up_proj: 9 }, rslora: true });
      const prepared = await step.prepareAdapter(adapter);
      const rows = [1, 2, 3].map((seed) => randomIds(60, seed));
      const ends = [0, 0, 0];
      const cache = step.createCache(3);
      for (const counts of [
        [5, 0, 40],
        [1, 1, 1],
        [0, 37, 1],
        [2, 3, 0],
      ]) {
        const inputs = step.embed(rows.flatMap((ids, b) => ids.slice(ends[b], ends[b]! + counts[b]!)));
        const hidden = step.read(inputs, counts, cache, { adapter: prepared });
        counts.forEach((count, b) => (ends[b]! += count));
        const read = rows.map((ids, b) => ids.slice(0, ends[b]));
        expect(relativeDifference(hidden, lastHidden(decoder, read, counts, adapter))).toBeLessThan(tolerance);
        expect(relativeDifference(hidden, lastHidden(decoder, read, counts))).toBeGreaterThan(1e-2);
      }
    });
  });

  it.each(adaptableModules)('adds what an adapter of %s alone adds', async (module) => {
    await withDecoders({}, async ({ decoder, step, adapterOf }) => {
      const adapter = adapterOf({ targetModules: [module], layersToTransform: [1] });
      const ids = randomIds(7, 1);
      const prepared = await step.prepareAdapter(adapter);
      const hidden = step.read(step.embed(ids), [7], step.createCache(1), { adapter: prepared });
      expect(relativeDifference(hidden, lastHidden(decoder, [ids], [7], adapter))).toBeLessThan(tolerance);
      expect(relativeDifference(hidden, lastHidden(decoder, [ids], [7]))).toBeGreaterThan(1e-2);
    });
  });

  it('takes one or another or none in turn, and none is bit by bit what it was', async () => {
    await withDecoders({}, async ({ decoder, step, adapterOf }) => {
      const ids = randomIds(9, 4);
      const read = (adapter?: Awaited<ReturnType<StepDecoder['prepareAdapter']>>) => {
        const cache = step.createCache(1);
        const hidden = step.read(step.embed(ids), [9], cache, { adapter }).slice();
        cache.dispose();
        return hidden;
      };
      const without = read();
      const adapters = [adapterOf({ targetModules: ['q_proj', 'v_proj'] }), adapterOf({ r: 8 }, 6)];
      const prepared = await Promise.all(adapters.map((adapter) => step.prepareAdapter(adapter)));
      const alone = adapters.map((adapter) => lastHidden(decoder, [ids], [9], adapter));
      for (const i of [0, 1, 0]) {
        expect(relativeDifference(read(prepared[i]), alone[i]!)).toBeLessThan(tolerance);
        expect(read()).toEqual(without);
      }
    });
  });

  it('goes on with a cache that the backend has filled with the adapter', async () => {
    await withDecoders({}, async ({ decoder, step, adapterOf }) => {
      const adapter = adapterOf({});
      const ids = randomIds(6, 2);
      const source = decoder.createCache(1);
      tf.tidy(() => {
        decoder.forward(decoder.embed(ids), [ids.map(() => 1)], { cache: source, adapter: { adapter } });
      });
      const cache = await step.importCache(source);
      source.dispose();
      const hidden = step.read(step.embed([3, 4]), [2], cache, { adapter: await step.prepareAdapter(adapter) });
      expect(relativeDifference(hidden, lastHidden(decoder, [[...ids, 3, 4]], [2], adapter))).toBeLessThan(tolerance);
    });
  });

  it('keeps the adapter as it was when it was prepared', async () => {
    await withDecoders({}, async ({ decoder, step, adapterOf }) => {
      const adapter = adapterOf({});
      const expected = lastHidden(decoder, [[1, 2]], [2], adapter);
      const prepared = await step.prepareAdapter(adapter);
      tf.tidy(() => {
        for (const { b } of adapter.modules.values()) b.assign(tf.zerosLike(b));
      });
      const hidden = step.read(step.embed([1, 2]), [2], step.createCache(1), { adapter: prepared });
      expect(relativeDifference(hidden, expected)).toBeLessThan(tolerance);
    });
  });
});

describe('StepDecoder.prepareAdapter', () => {
  it('gives its memory back, once', async () => {
    await withDecoders({}, async ({ step, adapterOf }) => {
      const adapter = adapterOf({});
      const free = step.memoryBytes;
      const first = await step.prepareAdapter(adapter);
      const taken = step.memoryBytes - free;
      expect(taken).toBeGreaterThan(0);
      const second = await step.prepareAdapter(adapter);
      expect(step.memoryBytes).toBe(free + 2 * taken);
      first.dispose();
      first.dispose();
      expect(step.memoryBytes).toBe(free + taken);
      second.dispose();
      expect(step.memoryBytes).toBe(free);
      const cache = step.createCache(1);
      const read = () => step.read(step.embed([1]), [1], cache, { adapter: first });
      expect(read).toThrow(code('step-decoder-disposed'));
      expect(cache.lengths).toEqual([0]);
    });
  });

  it('refuses an adapter of another model, and one prepared elsewhere', async () => {
    await withDecoders({}, async ({ decoder, step, adapterOf }) => {
      const free = step.memoryBytes;
      const lora = { r: 2, alpha: 2, targetModules: ['v_proj'] };
      for (const changes of [{ num_hidden_layers: 3 }, { hidden_size: 32 }, { num_key_value_heads: 4 }]) {
        const foreign = LoraAdapter.initialize(tinyConfig(changes), lora, Random.fromSeed(1));
        await expect(step.prepareAdapter(foreign)).rejects.toThrow(code('adapter-shape'));
        foreign.dispose();
      }
      expect(step.memoryBytes).toBe(free);
      const other = await StepDecoder.create(decoder);
      const prepared = await other.prepareAdapter(adapterOf({}));
      const read = () => step.read(step.embed([1]), [1], step.createCache(1), { adapter: prepared });
      expect(read).toThrow(code('step-decoder-adapter'));
      other.dispose();
      prepared.dispose();
      await expect(other.prepareAdapter(adapterOf({}))).rejects.toThrow(code('step-decoder-disposed'));
    });
  });
});
