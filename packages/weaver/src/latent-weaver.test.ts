// The latent weaver: seeds, initial values, parameters, and sessions against reading everything anew.
import { Random } from '@memgen/common';
import { startBackend, type Decoder, type LatentKind } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { alignmentTo } from './alignment.js';
import { LatentWeaver, type LatentWeaverConfig } from './latent-weaver.js';
import { tinyWeaver } from './tiny-weaver.test-helper.js';

const lora = { r: 2, alpha: 4, targetModules: ['q_proj'] };
let base: Decoder;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig());
});
afterAll(() => {
  base.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

function valuesOf(config: Partial<LatentWeaverConfig>, seed: number, reasonerHidden = 16): Map<string, Float32Array> {
  const weaver = LatentWeaver.initialize(base, reasonerHidden, { lora, ...config }, Random.fromSeed(seed));
  const values = new Map([...weaver.parameters()].map(([name, v]) => [name, v.dataSync().slice() as Float32Array]));
  weaver.dispose();
  return values;
}

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

describe('LatentWeaver.initialize', () => {
  it('is the same for the same seed and another for another', () => {
    expect(valuesOf({}, 3)).toEqual(valuesOf({}, 3));
    const [first, second] = [valuesOf({}, 3), valuesOf({}, 4)];
    for (const name of ['prompt_query_latents', 'weaver_to_reasoner.bias', 'layers.1.self_attn.q_proj.lora_A']) {
      expect(first.get(name), name).not.toEqual(second.get(name));
    }
  });

  it('draws queries standard normal, or small, with norms and scales that change nothing', () => {
    const reference = valuesOf({ promptLatents: 40 }, 1);
    expect(deviation(reference.get('prompt_query_latents')!)).toBeCloseTo(1, 1);
    const small = valuesOf({ inferenceLatents: 40, initialization: 'small' }, 1);
    expect(deviation(small.get('inference_query_latents')!)).toBeCloseTo(0.02, 2);
    expect(new Set(reference.get('prompt_latent_ln.weight'))).toEqual(new Set([1]));
    expect(new Set(reference.get('prompt_latent_ln.bias'))).toEqual(new Set([0]));
    expect([...reference.get('inference_latent_scale')!]).toEqual([1]);
  });

  it("draws projections as PyTorch's Linear, within 1/sqrt(in) of zero", () => {
    const values = valuesOf({}, 1, 100);
    for (const [name, bound] of [
      ['reasoner_to_weaver', 0.1],
      ['weaver_to_reasoner', 0.25],
    ] as const) {
      for (const part of ['weight', 'bias']) {
        const largest = Math.max(...values.get(`${name}.${part}`)!.map(Math.abs));
        expect(largest).toBeLessThanOrEqual(bound);
        expect(largest).toBeGreaterThan(0.7 * bound);
      }
    }
  });

  it('can start aligned: queries from tokens, projections that are multiples of the identity', async () => {
    const alignment = await alignmentTo(base, { queryIds: [5, 9, 2] });
    const values = valuesOf({ promptLatents: 4, inferenceLatents: 2, initialization: 'aligned', alignment }, 1);
    for (const name of ['reasoner_to_weaver', 'weaver_to_reasoner']) {
      const matrix = values.get(`${name}.weight`)!;
      const diagonal = matrix[0]!;
      expect(diagonal).toBeGreaterThan(0);
      expect(matrix.every((value, at) => value === (at % 17 === 0 ? diagonal : 0))).toBe(true);
      expect(new Set(values.get(`${name}.bias`))).toEqual(new Set([0]));
    }
    const embedded = (ids: number[]) => tf.tidy(() => base.embed(ids).dataSync().slice());
    expect(values.get('prompt_query_latents')).toEqual(embedded([5, 9, 2, 5]));
    expect(values.get('inference_query_latents')).toEqual(embedded([5, 9]));
    // Queries are normalised, then scaled to the length of embeddings.
    const everyId = Array.from({ length: 32 }, (_, id) => id);
    const size = deviation(embedded(everyId) as Float32Array);
    expect(values.get('prompt_latent_scale')![0]).toBeCloseTo(size, 5);
  });

  it('can start with latents close to the embedding of a token', async () => {
    const alignment = await alignmentTo(base, { queryIds: [5], latentId: 7 });
    const values = valuesOf({ promptLatents: 2, inferenceLatents: 2, initialization: 'aligned', alignment }, 1);
    const embedded = tf.tidy(() => base.embed([7]).dataSync().slice());
    expect(values.get('weaver_to_reasoner.bias')).toEqual(embedded);
    expect(values.get('weaver_to_reasoner.weight')![0]).toBeCloseTo(0.05, 6);
    expect(new Set(values.get('reasoner_to_weaver.bias'))).toEqual(new Set([0]));
  });

  it('refuses to start aligned to nothing, without tokens or with another hidden size', async () => {
    const failure = expect.objectContaining({ code: 'weaver-initialization' }) as Error;
    expect(() => valuesOf({ initialization: 'aligned' }, 1)).toThrow(failure);
    await expect(alignmentTo(base, { queryIds: [] })).rejects.toThrow(failure);
    const alignment = await alignmentTo(base, { queryIds: [1] });
    expect(() => valuesOf({ initialization: 'aligned', alignment }, 1, 12)).toThrow(failure);
  });

  it('makes eight latents of each kind by default', () => {
    const weaver = LatentWeaver.initialize(base, 16, { lora }, Random.fromSeed(1));
    expect(weaver.latentCounts).toEqual({ prompt: 8, inference: 8 });
    weaver.dispose();
  });
});

describe('LatentWeaver.parameters', () => {
  it('have the names of the reference', () => {
    const weaver = LatentWeaver.initialize(base, 12, { lora }, Random.fromSeed(1));
    const shapes = Object.fromEntries([...weaver.parameters()].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({
      prompt_query_latents: [8, 16],
      'prompt_latent_ln.weight': [16],
      'prompt_latent_ln.bias': [16],
      prompt_latent_scale: [1],
      inference_query_latents: [8, 16],
      'inference_latent_ln.weight': [16],
      'inference_latent_ln.bias': [16],
      inference_latent_scale: [1],
      'reasoner_to_weaver.weight': [12, 16],
      'reasoner_to_weaver.bias': [16],
      'weaver_to_reasoner.weight': [16, 12],
      'weaver_to_reasoner.bias': [12],
      'layers.0.self_attn.q_proj.lora_A': [16, 2],
      'layers.0.self_attn.q_proj.lora_B': [2, 16],
      'layers.1.self_attn.q_proj.lora_A': [16, 2],
      'layers.1.self_attn.q_proj.lora_B': [2, 16],
    });
    weaver.dispose();
  });
});

describe('a session', () => {
  const size = 16;

  /** Latents of the last call when everything is read in one call. */
  function readAnew(weaver: LatentWeaver, kind: LatentKind, rows: readonly (readonly number[])[]): Float32Array[] {
    return rows.map((ids) =>
      tf.tidy(() => {
        const session = weaver.begin({ batch: 1 });
        const latents = session.weave(kind, base.embed(ids), [ids.map(() => 1)]);
        session.dispose();
        return latents.dataSync().slice() as Float32Array;
      }),
    );
  }

  function weaveTokens(
    session: ReturnType<LatentWeaver['begin']>,
    kind: LatentKind,
    rows: readonly (readonly (number | undefined)[])[],
  ): Float32Array {
    const ids = rows.flatMap((row) => row.map((id) => id ?? 0));
    const mask = rows.map((row) => row.map((id) => (id === undefined ? 0 : 1)));
    return tf.tidy(() => session.weave(kind, base.embed(ids), mask).dataSync().slice() as Float32Array);
  }

  it('gives in several calls what reading everything anew gives; its queries leave no trace', () => {
    const weaver = tinyWeaver(base);
    const ids = randomIds(9, 1);
    const session = weaver.begin({ batch: 1 });
    expect(relativeDifference(weaveTokens(session, 'prompt', [ids.slice(0, 4)]), readAnew(weaver, 'prompt', [ids.slice(0, 4)])[0]!)).toBeLessThan(1e-4); // prettier-ignore
    for (const end of [5, 9]) {
      const latents = weaveTokens(session, 'inference', [ids.slice(end === 5 ? 4 : 5, end)]);
      expect(latents).toHaveLength(2 * size);
      expect(relativeDifference(latents, readAnew(weaver, 'inference', [ids.slice(0, end)])[0]!)).toBeLessThan(1e-4);
    }
    session.dispose();
    weaver.dispose();
  });

  it('reads rows of different lengths as it reads each alone, and goes on with those selected', () => {
    const weaver = tinyWeaver(base);
    const [a, b, c] = [randomIds(6, 1), randomIds(4, 2), randomIds(5, 3)];
    const session = weaver.begin({ batch: 3 });
    const _ = undefined;
    const first = weaveTokens(session, 'prompt', [a.slice(0, 3), [_, ...b.slice(0, 2)], [_, _, c[0]!]]);
    const expected = readAnew(weaver, 'prompt', [a.slice(0, 3), b.slice(0, 2), c.slice(0, 1)]);
    expected.forEach((latents, row) => {
      const got = first.slice(row * 3 * size, (row + 1) * 3 * size);
      expect(relativeDifference(got, latents)).toBeLessThan(1e-4);
    });
    session.select([2, 0]);
    const second = weaveTokens(session, 'inference', [c.slice(1), [...a.slice(3), _]]);
    readAnew(weaver, 'inference', [c, a]).forEach((latents, row) => {
      const got = second.slice(row * 2 * size, (row + 1) * 2 * size);
      expect(relativeDifference(got, latents)).toBeLessThan(1e-4);
    });
    session.dispose();
    weaver.dispose();
  });

  it('tells prompts and inference points apart, and what it has read', () => {
    const weaver = tinyWeaver(base, { promptLatents: 2 });
    const ids = randomIds(5, 1);
    const [prompt] = readAnew(weaver, 'prompt', [ids]);
    expect(relativeDifference(readAnew(weaver, 'inference', [ids])[0]!, prompt!)).toBeGreaterThan(1e-2);
    const changed = readAnew(weaver, 'prompt', [[(ids[0]! + 1) % 32, ...ids.slice(1)]])[0]!;
    expect(relativeDifference(changed, prompt!)).toBeGreaterThan(1e-3);
    weaver.dispose();
  });

  it('drops units by its seed, and none without a seed', () => {
    const weaver = tinyWeaver(base, { dropout: 0.5 });
    const ids = randomIds(4, 1);
    const latentsOf = (dropoutSeed?: number) => {
      const session = weaver.begin({ batch: 1, ...(dropoutSeed !== undefined && { dropoutSeed }) });
      const calls = [weaveTokens(session, 'inference', [ids]), weaveTokens(session, 'inference', [ids])];
      session.dispose();
      return calls;
    };
    expect(latentsOf(1)).toEqual(latentsOf(1));
    expect(relativeDifference(latentsOf(2)[0]!, latentsOf(1)[0]!)).toBeGreaterThan(1e-3);
    expect(relativeDifference(latentsOf(1)[0]!, latentsOf()[0]!)).toBeGreaterThan(1e-3);
    const still = tinyWeaver(base);
    const session = still.begin({ batch: 1 });
    expect(weaveTokens(session, 'inference', [ids])).toEqual(latentsOf()[0]);
    session.dispose();
    still.dispose();
    weaver.dispose();
  });

  it('drops other units in each call', () => {
    const weaver = tinyWeaver(base, { dropout: 0.5 });
    const ids = randomIds(4, 1);
    /** Latents of a second call, whose first one read nothing but padding, and of a first call. */
    const secondAndFirst = (options: { dropoutSeed?: number }) => {
      const sessions = [weaver.begin({ batch: 1, ...options }), weaver.begin({ batch: 1, ...options })] as const;
      weaveTokens(sessions[0], 'inference', [ids.map(() => undefined)]);
      const latents = sessions.map((session) => weaveTokens(session, 'inference', [ids]));
      for (const session of sessions) session.dispose();
      return latents as [Float32Array, Float32Array];
    };
    expect(relativeDifference(...secondAndFirst({}))).toBeLessThan(1e-4);
    expect(relativeDifference(...secondAndFirst({ dropoutSeed: 1 }))).toBeGreaterThan(1e-3);
    weaver.dispose();
  });
});
