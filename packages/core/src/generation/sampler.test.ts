// Sampling: cuts, temperatures, seeds, and settings out of range.
import { Random } from '@memgen/common';
import fc from 'fast-check';
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

/** A stream that gives the same number always. */
function fixed(float: number): Random {
  return Object.assign(Random.fromSeed(0), { float: () => float });
}

/** The processors of transformers one after another, by sorting, and the inverse of the summed probabilities. */
function referenceChoice(
  given: readonly number[],
  { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 }: SamplingOptions,
  seen: ReadonlySet<number>,
  float: number,
): number {
  const softmax = (scores: readonly number[]) => {
    const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  };
  const keep = (scores: readonly number[], kept: (score: number, id: number) => boolean) =>
    scores.map((score, id) => (kept(score, id) ? score : -Infinity));
  // Logits are of single precision.
  let scores = given.map((score, id) => {
    if (!seen.has(id)) return score;
    return Math.fround(score < 0 ? score * repetitionPenalty : score / repetitionPenalty);
  });
  scores = scores.map((score) => score / temperature);
  if (topK > 0) {
    const least = [...scores].sort((a, b) => b - a)[Math.min(topK, scores.length) - 1]!;
    scores = keep(scores, (score) => score >= least);
  }
  if (topP < 1) {
    const before = scores;
    const probabilities = softmax(before);
    scores = keep(before, (score) => {
      const better = probabilities.filter((_, id) => before[id]! > score).reduce((sum, p) => sum + p, 0);
      return better < topP;
    });
  }
  if (minP > 0) {
    const probabilities = softmax(scores);
    const least = minP * Math.max(...probabilities);
    scores = keep(scores, (_, id) => probabilities[id]! >= least);
  }
  let rest = float;
  const probabilities = softmax(scores);
  const chosen = probabilities.findIndex((p) => (rest -= p) < 0);
  return chosen < 0 ? probabilities.findLastIndex((p) => p > 0) : chosen;
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

  it('stands logits that underflow', () => {
    const random = Random.fromSeed(1);
    expect(sampleToken(Float32Array.of(-Infinity, 5, -1e30), { temperature: 0.1 }, random)).toBe(1);
    expect(sampleToken(Float32Array.of(3, -Infinity), { temperature: 1 }, fixed(1 - 2 ** -53))).toBe(0);
  });

  it('keeps what is as likely as the last token kept', () => {
    const drawn = (options: SamplingOptions) => {
      const random = Random.fromSeed(1);
      const draws = Array.from({ length: 50 }, () => sampleToken(Float32Array.of(0, 0, 0, -1), options, random));
      return new Set(draws);
    };
    expect(drawn({ temperature: 1, topK: 2 })).toEqual(new Set([0, 1, 2]));
    expect(drawn({ temperature: 1, topP: 0.3 })).toEqual(new Set([0, 1, 2]));
  });

  it('draws from tokens at least minP times as likely as the likeliest', () => {
    expectFrequencies({ temperature: 1, minP: 0.3 }, [0, 0.4, 0, 0.25, 0.2]);
    expectFrequencies({ temperature: 1, minP: 0.6 }, [0, 0.4, 0, 0.25, 0]);
    expectFrequencies({ temperature: 1, minP: 1 }, [0, 1, 0, 0, 0]);
    // At temperature 2 the share of the least is the root of 0.05 / 0.4: 0.354.
    expectFrequencies({ temperature: 2, minP: 0.36 }, probabilities.map((p) => (p < 0.06 ? 0 : Math.sqrt(p)))); // prettier-ignore
  });

  it('penalizes what was there before, also when greedy, and leaves the logits as they are', () => {
    const random = Random.fromSeed(1);
    const given = Float32Array.of(2, 1.5, -1, -1.5);
    expect(sampleToken(given, { repetitionPenalty: 1.2 }, random, new Set([0]))).toBe(0);
    expect(sampleToken(given, { repetitionPenalty: 1.5 }, random, new Set([0, 2]))).toBe(1);
    const negative = Float32Array.of(-1, -1.5);
    expect(sampleToken(negative, { repetitionPenalty: 2 }, random, new Set([0]))).toBe(1);
    // Below 1 it favours repetition.
    expect(sampleToken(given, { repetitionPenalty: 0.5 }, random, new Set([1]))).toBe(1);
    expect([...given, ...negative]).toEqual([2, 1.5, -1, -1.5, -1, -1.5]);
  });

  it('draws by the formulas of transformers, whatever is combined', () => {
    const share = (least: number) => fc.integer({ min: least, max: 99 }).map((percent) => percent / 100 + 0.00037);
    const cases = fc.record({
      // Quarters, so that some are equal.
      logits: fc.array(fc.integer({ min: -30, max: 30 }).map((quarters) => quarters / 4), { minLength: 1, maxLength: 700 }), // prettier-ignore
      options: fc.record(
        {
          topK: fc.nat(12),
          topP: share(0),
          minP: share(0),
          repetitionPenalty: fc.constantFrom(0.7, 1, 1.3),
        },
        { requiredKeys: [] },
      ),
      temperature: fc.constantFrom(0.3, 1, 3),
      seen: fc.array(fc.nat(9)),
      float: fc.integer({ min: 0, max: 999 }).map((thousandths) => thousandths / 1000 + 0.000041),
    });
    fc.assert(
      fc.property(cases, ({ logits, options, temperature, seen, float }) => {
        const known = new Set(seen.filter((id) => id < logits.length));
        const got = sampleToken(Float32Array.from(logits), { ...options, temperature }, fixed(float), known);
        expect(got).toBe(referenceChoice(logits, { ...options, temperature }, known, float));
      }),
      { numRuns: 500 },
    );
  });

  it('takes a fraction of the time in which ids could be sorted', () => {
    const random = Random.fromSeed(2);
    const large = Float32Array.from({ length: 150_000 }, () => 3 * random.normal());
    const ids = Array.from(large.keys());
    const chain: SamplingOptions[] = [
      { temperature: 1 },
      { temperature: 1, topK: 50, topP: 0.95, minP: 0.01 },
      { temperature: 20, topP: 0.95, repetitionPenalty: 1.1 },
    ];
    const seconds = (work: () => unknown) => {
      const start = performance.now();
      work();
      return performance.now() - start;
    };
    let [sorting, sampling] = [0, 0];
    // In turns, so that other work on the machine slows both.
    for (let round = 0; round < 6; round++) {
      sorting += seconds(() => [...ids].sort((a, b) => large[b]! - large[a]!));
      for (const options of chain) sampling += seconds(() => sampleToken(large, options, random));
    }
    expect(sampling / chain.length).toBeLessThan(sorting / 3);
  });

  it('refuses logits that are not numbers', () => {
    for (const bad of [[NaN, 1], [1, NaN], [-Infinity, -Infinity], [1, Infinity]]) {
      expect(() => sampleToken(Float32Array.from(bad), { temperature: 1 }, Random.fromSeed(1))).toThrow(
        expect.objectContaining({ code: 'logits' }),
      );
    } // prettier-ignore
    expect(() => sampleToken(Float32Array.of(NaN, NaN), {}, Random.fromSeed(1))).toThrow(/not numbers/);
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
    ['minP', { minP: -0.1 }],
    ['minP', { minP: 1.1 }],
    ['repetitionPenalty', { repetitionPenalty: 0 }],
    ['repetitionPenalty', { repetitionPenalty: Infinity }],
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
      checkSampling({ temperature: 2, topK: 0, topP: 1, minP: 1, repetitionPenalty: 0.5 });
    }).not.toThrow();
  });
});
