// Sampling: cuts, temperatures, seeds, and settings out of range.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { argmax, checkSampling, sampleToken, type SamplingOptions } from './sampler.js';

// Probabilities 0.1, 0.4, 0.05, 0.25, 0.2.
const probabilities = [0.1, 0.4, 0.05, 0.25, 0.2];
const logits = Float32Array.from(probabilities, (p) => Math.log(p) + 3);

/** How often each token is drawn, as a part of all draws. */
function frequencies(options: SamplingOptions, draws = 20_000): number[] {
  const random = Random.fromSeed(4);
  const counts = probabilities.map(() => 0);
  for (let i = 0; i < draws; i++) counts[sampleToken(logits, options, random)]! += 1 / draws;
  return counts;
}

function expectFrequencies(options: SamplingOptions, weights: readonly number[]): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  frequencies(options).forEach((frequency, token) => {
    const expected = weights[token]! / total;
    // Five standard deviations, which are none for what must always or never be drawn.
    const bound = 5 * Math.sqrt((expected * (1 - expected)) / 20_000);
    expect(Math.abs(frequency - expected)).toBeLessThanOrEqual(bound + 1e-9);
  });
}

describe('sampleToken', () => {
  it('draws by the softmax at temperature 1', () => {
    expectFrequencies({ temperature: 1 }, probabilities);
  });

  it.each([0.5, 2])('sharpens or flattens by the temperature %d', (temperature) => {
    expectFrequencies({ temperature }, probabilities.map((p) => p ** (1 / temperature))); // prettier-ignore
  });

  it('draws from the k most likely tokens only', () => {
    expectFrequencies({ temperature: 1, topK: 2 }, [0, 0.4, 0, 0.25, 0]);
    expectFrequencies({ temperature: 1, topK: 1 }, [0, 1, 0, 0, 0]);
    expectFrequencies({ temperature: 1, topK: 99 }, probabilities);
  });

  it('draws from the smallest set that covers p', () => {
    expectFrequencies({ temperature: 1, topP: 0.6 }, [0, 0.4, 0, 0.25, 0]);
    expectFrequencies({ temperature: 1, topP: 0.7 }, [0, 0.4, 0, 0.25, 0.2]);
    expectFrequencies({ temperature: 1, topP: 1e-6 }, [0, 1, 0, 0, 0]);
  });

  it('measures p after the cut to k', () => {
    // Of 0.4, 0.25, 0.2 the first two cover 0.65 / 0.85 = 0.76.
    expectFrequencies({ temperature: 1, topK: 3, topP: 0.75 }, [0, 0.4, 0, 0.25, 0]);
    expectFrequencies({ temperature: 1, topK: 3, topP: 0.8 }, [0, 0.4, 0, 0.25, 0.2]);
  });

  it('measures p at the temperature', () => {
    // At temperature 0.5: 0.01, 0.16, 0.0025, 0.0625, 0.04 of 0.275; the first covers 0.58.
    expectFrequencies({ temperature: 0.5, topP: 0.55 }, [0, 1, 0, 0, 0]);
  });

  it('is greedy at temperature 0, without drawing', () => {
    const random = Random.fromSeed(1);
    const state = random.state();
    expect(sampleToken(logits, {}, random)).toBe(1);
    expect(sampleToken(logits, { temperature: 0, topK: 3, topP: 0.5 }, random)).toBe(1);
    expect(random.state()).toEqual(state);
  });

  it('is the same for the same seed and goes on where the stream stands', () => {
    const draw = (random: Random) => Array.from({ length: 20 }, () => sampleToken(logits, { temperature: 1 }, random));
    expect(draw(Random.fromSeed(9))).toEqual(draw(Random.fromSeed(9)));
    expect(draw(Random.fromSeed(9))).not.toEqual(draw(Random.fromSeed(10)));
    const random = Random.fromSeed(9);
    expect(draw(random)).not.toEqual(draw(random));
  });

  it('stands logits that underflow, and equal ones in order', () => {
    const random = Random.fromSeed(1);
    expect(sampleToken(Float32Array.of(-Infinity, 5, -1e30), { temperature: 0.1 }, random)).toBe(1);
    const drawn = Array.from({ length: 50 }, () =>
      sampleToken(new Float32Array(4), { temperature: 1, topK: 2 }, random),
    );
    expect(new Set(drawn)).toEqual(new Set([0, 1]));
  });
});

describe('argmax', () => {
  it('takes the first of equals', () => {
    expect(argmax(Float32Array.of(1, 3, 3, 2))).toBe(1);
  });
});

describe('checkSampling', () => {
  it.each<[string, SamplingOptions]>([
    ['temperature', { temperature: -0.1 }],
    ['temperature', { temperature: NaN }],
    ['temperature', { temperature: Infinity }],
    ['topK', { topK: -1 }],
    ['topK', { topK: 1.5 }],
    ['topP', { topP: 0 }],
    ['topP', { topP: 1.01 }],
    ['topP', { topP: NaN }],
  ])('refuses %s %o', (name, options) => {
    expect(() => {
      checkSampling(options);
    }).toThrow(expect.objectContaining({ code: 'sampling', got: String(Object.values(options)[0]) }));
    expect(() => {
      checkSampling(options);
    }).toThrow(`${name} is out of range`);
  });

  it('allows everything in range', () => {
    expect(() => {
      checkSampling({});
      checkSampling({ temperature: 2, topK: 0, topP: 1 });
    }).not.toThrow();
  });
});
