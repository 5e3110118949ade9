// Inverse frequencies of every kind of rotary scaling.
import { describe, expect, it } from 'vitest';
import { readRotarySettings, rowFrequencies } from './rotary-frequencies.js';

const headSize = 16;

function settings(scaling: Record<string, unknown> | null, changes: { theta?: number; positions?: number } = {}) {
  const { theta = 10000, positions = 512 } = changes;
  const raw = { rope_theta: theta, rope_scaling: scaling, max_position_embeddings: positions };
  return readRotarySettings(raw, headSize, 'config.json');
}

const plain = settings(null).inverseFrequencies;

describe('readRotarySettings', () => {
  it('is theta ** (-2 i / size) without scaling', () => {
    expect(plain).toHaveLength(headSize / 2);
    plain.forEach((frequency, i) => {
      expect(frequency).toBeCloseTo(Math.exp((-Math.log(10000) * i) / 8), 12);
    });
    expect(settings({ rope_type: 'default' })).toEqual({ inverseFrequencies: plain, attentionScaling: 1 });
  });

  it('linear: divides all by the factor, also under the older name of the field', () => {
    const divided = plain.map((frequency) => frequency / 4);
    expect(settings({ rope_type: 'linear', factor: 4 })).toEqual({
      inverseFrequencies: divided,
      attentionScaling: 1,
      stretch: 4,
    });
    expect(settings({ type: 'linear', factor: 4 }).inverseFrequencies).toEqual(divided);
  });

  it('llama3: keeps short wavelengths, stretches long ones, blends between', () => {
    const { inverseFrequencies, attentionScaling } = settings({
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 256,
    });
    expect(attentionScaling).toBe(1);
    // Wavelengths 2 pi * 10 ** (i / 2): 6, 20, 63, 199, 628, ...; kept below 64, stretched above 256.
    expect(inverseFrequencies.slice(0, 3)).toEqual(plain.slice(0, 3));
    inverseFrequencies.slice(4).forEach((frequency, i) => {
      expect(frequency).toBeCloseTo(plain[4 + i]! / 8, 12);
    });
    // 256 / 198.69 = 1.2884, a part 0.09614 of the way from 1 to 4.
    expect(inverseFrequencies[3]! / plain[3]!).toBeCloseTo(0.90386 / 8 + 0.09614, 4);
  });

  it('yarn: keeps fast channels, interpolates slow ones, scales attention by the logarithm of the factor', () => {
    const { inverseFrequencies, attentionScaling } = settings(
      { rope_type: 'yarn', factor: 16, original_max_position_embeddings: 2048 },
      { positions: 32768 },
    );
    expect(attentionScaling).toBeCloseTo(0.1 * Math.log(16) + 1, 12);
    // Channels that turn 32 times and once in 2048 positions: 2.02 and 5.03, hence a ramp from 2 to 6.
    expect(inverseFrequencies.slice(0, 3)).toEqual(plain.slice(0, 3));
    [1 / 4, 1 / 2, 3 / 4].forEach((ramp, i) => {
      expect(inverseFrequencies[3 + i]! / plain[3 + i]!).toBeCloseTo(ramp / 16 + 1 - ramp, 12);
    });
    expect(inverseFrequencies[6]).toBeCloseTo(plain[6]! / 16, 12);
    expect(inverseFrequencies[7]).toBeCloseTo(plain[7]! / 16, 12);
  });

  it('yarn: takes stated attention factors, magnitudes and bounds', () => {
    const yarn = { rope_type: 'yarn', factor: 4 };
    expect(settings({ ...yarn, attention_factor: 0.7 }).attentionScaling).toBe(0.7);
    const magnitude = (m: number) => 0.1 * m * Math.log(4) + 1;
    expect(settings({ ...yarn, mscale: 2, mscale_all_dim: 0.5 }).attentionScaling).toBeCloseTo(
      magnitude(2) / magnitude(0.5),
      12,
    );
    // With a ramp from 10 to 14, above all 8 channels, nothing is interpolated.
    const bounded = settings({ ...yarn, beta_fast: 8e-4, beta_slow: 1e-5 });
    expect(bounded.inverseFrequencies).toEqual(plain);
  });

  it('yarn: follows the original context rather than the stated factor', () => {
    const { attentionScaling, inverseFrequencies } = settings(
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
      { positions: 512 },
    );
    expect(attentionScaling).toBeCloseTo(0.1 * Math.log(16) + 1, 12);
    expect(inverseFrequencies[7]).toBeCloseTo(plain[7]! / 16, 12);
  });

  it('dynamic: follows the length of a row beyond the context', () => {
    const dynamic = settings({ rope_type: 'dynamic', factor: 2 }, { positions: 512 });
    expect(dynamic).toMatchObject({ inverseFrequencies: plain, attentionScaling: 1 });
    expect(rowFrequencies(dynamic, 512)).toBe(dynamic.inverseFrequencies);
    // Twice the context: theta * (2 * 2 - 1) ** (16 / 14).
    const theta = 10000 * 3 ** (16 / 14);
    rowFrequencies(dynamic, 1024).forEach((frequency, i) => {
      expect(frequency).toBeCloseTo(theta ** (-i / 8), 12);
    });
    expect(rowFrequencies(settings(null), 1e6)).toEqual(plain);
  });
});

describe('rope_parameters', () => {
  const read = (parameters: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    readRotarySettings(
      { rope_theta: 10000, rope_parameters: parameters, max_position_embeddings: 512, ...more },
      headSize,
      'config.json',
    );

  it('hold what rope_theta and rope_scaling held', () => {
    expect(read({ rope_theta: 500, rope_type: 'default' })).toEqual(settings(null, { theta: 500 }));
    const linear = { rope_type: 'linear', factor: 4 };
    expect(read({ ...linear, rope_theta: 500 })).toEqual(settings(linear, { theta: 500 }));
    expect(read(linear)).toEqual(settings(linear));
    expect(read({ partial_rotary_factor: 1, type: 'default' })).toEqual(settings(null));
    expect(read({ rope_type: 'default' }, { rope_scaling: linear })).toEqual(settings(linear));
  });

  it.each([
    [{ full_attention: { rope_theta: 1 }, sliding_attention: { rope_theta: 2 } }, 'rope_parameters.full_attention', 'model-architecture'], // prettier-ignore
    [{ partial_rotary_factor: 0.5 }, 'rope_parameters', 'model-architecture'],
    [{ rope_type: 'longrope' }, 'rope_parameters.rope_type', 'model-architecture'],
    [{ rope_type: 'linear' }, 'rope_parameters', 'model-config'],
    [{ rope_theta: -1 }, 'rope_parameters', 'model-config'],
  ])('%j is refused', (parameters, key, code) => {
    expect(() => read(parameters)).toThrow(expect.objectContaining({ code, where: `config.json: ${key}` }));
  });
});
