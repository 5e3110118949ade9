// The step decoder against the decoder whose weights it has copied.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { Decoder } from '../model/decoder.js';
import { architectures, frozenDecoder, randomIds, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { pageColumns } from './kernels.js';
import { StepDecoder } from './step-decoder.js';
import { decoderWith, lastHidden, logitsOf, type Weights } from './step-decoder.test-helper.js';

const tolerance = 1e-5;
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

async function withDecoders(
  changes: Record<string, unknown>,
  use: (decoder: Decoder, step: StepDecoder) => void | Promise<void>,
  weights: Weights = 'float32',
): Promise<void> {
  const decoder = await decoderWith(weights, tinyConfig(changes));
  const step = await StepDecoder.create(decoder);
  await use(decoder, step);
  step.dispose();
  decoder.dispose();
}

describe.each(['float32', 'bfloat16'] as const)('StepDecoder with weights in %s', (weights) => {
  const odd = { model_type: 'llama', hidden_size: 21, intermediate_size: 13, head_dim: 6, vocab_size: 35 };
  it.each([...architectures, odd])('reads ragged rows as the decoder of %o does', async (changes) => {
    await withDecoders(
      changes,
      (decoder, step) => {
        const rows = [1, 2, 3].map((seed) => randomIds(3 * pageColumns, seed));
        const ends = [0, 0, 0];
        const cache = step.createCache(3);
        for (const counts of [
          [5, 0, 40],
          [1, 1, 1],
          [0, 37, 1],
          [0, 0, 2],
          [26, 0, 0],
          [1, 3, 8],
        ]) {
          // prettier-ignore
          const inputs = step.embed(rows.flatMap((ids, b) => ids.slice(ends[b], ends[b]! + counts[b]!)));
          const hidden = step.read(inputs, counts, cache).slice();
          counts.forEach((count, b) => (ends[b]! += count));
          expect(cache.lengths).toEqual(ends);
          const expected = lastHidden(decoder, rows.map((ids, b) => ids.slice(0, ends[b])), counts); // prettier-ignore
          expect(relativeDifference(hidden, expected)).toBeLessThan(tolerance);

          const places = [hidden.length / step.config.hiddenSize - 1, 0];
          const size = decoder.config.hiddenSize;
          const chosen = places.flatMap((place) => [...expected.subarray(place * size, (place + 1) * size)]);
          const logits = step.logits(places);
          expect(relativeDifference(logits, logitsOf(decoder, Float32Array.from(chosen)))).toBeLessThan(tolerance);
        }
      },
      weights,
    );
  });

  it('needs no more memory than announced, and half for the matrices in bfloat16', async () => {
    const config = tinyConfig({ vocab_size: 20_000, hidden_size: 64, intermediate_size: 128 });
    const decoder = await decoderWith(weights, config);
    const needed = StepDecoder.memoryNeeded(config);
    const step = await StepDecoder.create(decoder);
    expect(step.memoryBytes).toBeLessThanOrEqual(needed);
    expect(step.memoryBytes).toBeGreaterThan(weights === 'float32' ? 0.95 * needed : 0.5 * needed);
    if (weights === 'bfloat16') expect(step.memoryBytes).toBeLessThan(0.65 * needed);
    step.dispose();
    decoder.dispose();
  });
});

describe('the last hidden states alone', () => {
  it('are those of a whole read, to the bit, and so is what is read behind them', async () => {
    const config = tinyConfig({ vocab_size: 600 });
    const decoder = await frozenDecoder(config);
    const step = await StepDecoder.create(decoder);
    const size = config.hiddenSize;
    const [whole, ends] = [undefined, 2].map((last) => {
      const cache = step.createCache(4);
      // The first row fills more than a block of columns.
      return [
        [300, 3, 0, 1],
        [1, 1, 1, 1],
      ].map((counts) => {
        const ids = randomIds(counts.reduce((sum, count) => sum + count), 4, 600); // prettier-ignore
        const hidden = step.read(step.embed(ids), counts, cache, { last }).slice();
        const places = hidden.length / size;
        expect(() => step.logits([places])).toThrow(code('step-decoder-input'));
        return { hidden: [...hidden], logits: [...step.logits([places - 1])] };
      });
    }) as [{ hidden: number[]; logits: number[] }[], { hidden: number[]; logits: number[] }[]];
    const kept = [298, 299, 301, 302, 303].flatMap((column) =>
      whole[0]!.hidden.slice(column * size, (column + 1) * size),
    );
    expect(ends).toEqual([{ hidden: kept, logits: whole[0]!.logits }, whole[1]]);
    step.dispose();
    decoder.dispose();
  });
});

describe('threads of a StepDecoder', () => {
  it('change no bit, in products, attention and batches', async () => {
    const config = tinyConfig({ hidden_size: 128, intermediate_size: 256, vocab_size: 600, num_attention_heads: 8 });
    const decoder = await frozenDecoder(config);
    const [alone, three] = [await StepDecoder.create(decoder, { threads: 1 }), await StepDecoder.create(decoder, { threads: 3 })]; // prettier-ignore
    const results = [alone, three].map((step) => {
      const cache = step.createCache(2);
      const parts: number[] = [];
      for (const counts of [
        [90, 120],
        [1, 1],
        [1, 0],
        [3, 40],
      ]) {
        const ids = randomIds(counts[0]! + counts[1]!, 4, 600);
        parts.push(...step.read(step.embed(ids), counts, cache), ...step.logits([0]));
      }
      return parts;
    });
    expect(results[1]).toEqual(results[0]);
    for (const step of [alone, three]) step.dispose();
    decoder.dispose();
  });

  it('must be at least one', async () => {
    const decoder = await frozenDecoder(tinyConfig());
    await expect(StepDecoder.create(decoder, { threads: 0 })).rejects.toThrow(code('step-decoder-threads'));
    decoder.dispose();
  });
});

describe('StepDecoder', () => {
  it.each([true, false])('looks up embeddings exactly (tied: %s)', async (tied) => {
    await withDecoders({ tie_word_embeddings: tied }, (decoder, step) => {
      const ids = [0, 31, 7, 7];
      expect([...step.embed(ids)]).toEqual([...tf.tidy(() => decoder.embed(ids).dataSync())]);
      expect(() => step.embed([3, 32])).toThrow(code('token-id'));
    });
  });

  it('needs the decoder no longer', async () => {
    const decoder = await frozenDecoder(tinyConfig({ tie_word_embeddings: false }));
    const step = await StepDecoder.create(decoder);
    const expected = logitsOf(decoder, lastHidden(decoder, [[1, 2, 3]], [1]));
    decoder.dispose();
    step.read(step.embed([1, 2, 3]), [3], step.createCache(1));
    expect(relativeDifference(step.logits([2]), expected)).toBeLessThan(tolerance);
    step.dispose();
  });

  it('decodes token by token across pages', async () => {
    await withDecoders({}, (decoder, step) => {
      const ids = randomIds(2 * pageColumns + 3, 5);
      const cache = step.createCache(1);
      const hidden = ids.flatMap((id) => [...step.read(step.embed([id]), [1], cache)]);
      expect(relativeDifference(hidden, lastHidden(decoder, [ids], [ids.length]))).toBeLessThan(tolerance);
    });
  });

  it.each([3, pageColumns, pageColumns + 1])(
    'goes on with rows of %i columns, repeated and reordered',
    async (length) => {
      await withDecoders({}, (decoder, step) => {
        const prompts = [1, 2, 3].map((seed) => randomIds(length, seed));
        const cache = step.createCache(3);
        step.read(step.embed(prompts.flat()), [length, length, length], cache);
        cache.select([2, 0, 2, 2]);
        const rows = [2, 0, 2, 2].map((row) => [...prompts[row]!]);
        for (let round = 0; round < 3; round++) {
          rows.forEach((row, b) => row.push(...randomIds(b === 1 ? 0 : 2, 10 * round + b)));
          const counts = [2, 0, 2, 2];
          const inputs = step.embed(rows.flatMap((row, b) => row.slice(row.length - counts[b]!)));
          const hidden = step.read(inputs, counts, cache);
          expect(relativeDifference(hidden, lastHidden(decoder, rows, counts))).toBeLessThan(tolerance);
        }
        expect(cache.lengths).toEqual([length + 6, length, length + 6, length + 6]);
      });
    },
  );

  it('shares full pages between samples of a prompt', async () => {
    await withDecoders({}, (_, step) => {
      const cache = step.createCache(1);
      const length = 4 * pageColumns;
      step.read(step.embed(randomIds(length, 1)), [length], cache);
      const alone = step.memoryBytes;
      cache.select(Array.from({ length: 16 }, () => 0));
      expect(step.memoryBytes).toBe(alone);
      cache.select([]);
      expect(step.memoryBytes).toBeLessThan(alone);
    });
  });

  it('gives all memory back, however often caches come and go', async () => {
    await withDecoders({}, (_, step) => {
      const use = () => {
        const cache = step.createCache(2);
        step.read(step.embed(randomIds(100, 1)), [30, 70], cache);
        cache.select([1, 1, 0, 1]);
        step.read(step.embed(randomIds(8, 2)), [3, 1, 3, 1], cache);
        step.logits([0, 7]);
        cache.select([3, 1]);
        cache.dispose();
        cache.dispose();
      };
      use();
      const after = step.memoryBytes;
      for (let i = 0; i < 50; i++) use();
      expect(step.memoryBytes).toBe(after);
    });
  });

  it('reads nothing when there is nothing to read', async () => {
    await withDecoders({}, (_, step) => {
      expect(step.read(new Float32Array(0), [0, 0], step.createCache(2))).toHaveLength(0);
      expect(step.read(new Float32Array(0), [], step.createCache(0))).toHaveLength(0);
      expect(step.logits([])).toHaveLength(0);
    });
  });

  it('refuses what does not fit together, and stays as it was', async () => {
    await withDecoders({}, async (decoder, step) => {
      const other = await StepDecoder.create(decoder);
      const cache = step.createCache(2);
      const one = step.embed([1]);
      expect(() => step.createCache(-1)).toThrow(code('step-decoder-input'));
      expect(() => step.logits([0])).toThrow(code('step-decoder-input'));
      expect(() => step.read(one, [1], cache)).toThrow(code('step-decoder-input'));
      expect(() => step.read(one, [1, 1], cache)).toThrow(code('step-decoder-input'));
      expect(() => step.read(one, [2, -1], cache)).toThrow(code('step-decoder-input'));
      expect(() => step.read(one, [0.5, 0.5], cache)).toThrow(code('step-decoder-input'));
      expect(() => step.read(one, [1, 0], cache, { last: 0 })).toThrow(code('step-decoder-input'));
      expect(() => step.read(one, [1, 0], other.createCache(2))).toThrow(code('step-decoder-cache'));
      expect(() => {
        cache.select([0, 2]);
      }).toThrow(code('step-decoder-cache'));
      expect(cache.lengths).toEqual([0, 0]);
      step.read(one, [0, 1], cache);
      expect(() => step.logits([1])).toThrow(code('step-decoder-input'));
      cache.dispose();
      expect(() => step.read(one, [0, 1], cache)).toThrow(code('step-decoder-disposed'));
      other.dispose();
    });
  });

  it('refuses a decoder that is too large before it allocates', async () => {
    const config = tinyConfig();
    const decoder = await frozenDecoder(config);
    const large = new Decoder({ ...config, vocabularySize: 2 ** 20, hiddenSize: 2 ** 13 }, decoder.weights);
    await expect(StepDecoder.create(large)).rejects.toThrow(code('step-decoder-memory'));
    large.dispose();
    // The matrix of the half turn; the weights are gone with the other.
    decoder.dispose();
  });

  it('says that it has been disposed', async () => {
    const decoder = await frozenDecoder(tinyConfig());
    const step = await StepDecoder.create(decoder);
    decoder.dispose();
    const cache = step.createCache(1);
    const one = step.embed([1]);
    step.read(one, [1], cache);
    step.dispose();
    step.dispose();
    expect(step.memoryBytes).toBe(0);
    expect(() => step.read(one, [1], cache)).toThrow(code('step-decoder-disposed'));
    expect(() => step.logits([0])).toThrow(code('step-decoder-disposed'));
    expect(() => step.embed([1])).toThrow(code('step-decoder-disposed'));
    cache.dispose();
  });
});
