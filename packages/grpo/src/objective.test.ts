// The objective against values by hand, its gradient against finite differences, and how parts of a step add up.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { policyObjective, type PolicyObjective } from './objective.js';
import type { ObjectiveOptions, PolicyActions } from './objective-options.js';

interface Row extends PolicyActions {
  logProbabilities: number[];
  old: number[];
  reference: number[];
  mask: number[];
}

/** Rows of different lengths whose ratios lie on both sides of every bound, none closer to one than 1e-3. */
function variedRows(seed = 1): Row[] {
  const random = Random.fromSeed(seed);
  return [7, 1, 12, 4].map((length, b) => {
    const logProbabilities = Array.from({ length }, () => -3 * random.float() - 0.1);
    const near = () => logProbabilities.map((value) => value + Math.round(6 * random.normal()) * 0.07 + 0.011);
    return {
      logProbabilities,
      old: near(),
      reference: near(),
      mask: logProbabilities.map(() => (random.float() < 0.8 ? 1 : 0)),
      advantage: [1.3, -0.7, -1.9, 0.4][b]!,
    };
  });
}

const lossTypes = ['grpo', 'bnpo', 'dr_grpo', 'dapo'] as const;
const settings: ObjectiveOptions[] = lossTypes.flatMap((lossType) =>
  (['token', 'sequence'] as const).flatMap((importanceSampling) =>
    [0, 0.3].flatMap((beta) =>
      [undefined, 1.5].map((delta) => ({
        lossType,
        importanceSampling,
        beta,
        epsilon: 0.1,
        epsilonHigh: 0.25,
        maxCompletionLength: 20,
        ...(delta !== undefined && { delta }),
      })),
    ),
  ),
);

describe('the gradient', () => {
  it.each(settings)('is that of the loss: $lossType, $importanceSampling, beta $beta, delta $delta', (options) => {
    const rows = variedRows();
    const { gradients } = policyObjective(rows, options);
    const lossWith = (b: number, t: number, by: number) =>
      policyObjective(
        rows.map((row, i) =>
          i === b ? { ...row, logProbabilities: row.logProbabilities.map((x, k) => (k === t ? x + by : x)) } : row,
        ),
        options,
      ).loss;
    let largest = 0;
    rows.forEach(({ mask }, b) => {
      mask.forEach((counts, t) => {
        const slope = (lossWith(b, t, 1e-6) - lossWith(b, t, -1e-6)) / 2e-6;
        expect(gradients[b]![t]).toBeCloseTo(slope, 7);
        if (counts === 0) expect(gradients[b]![t]).toBe(0);
        largest = Math.max(largest, Math.abs(slope));
      });
    });
    expect(largest).toBeGreaterThan(1e-3);
  });

  it('without old log-probabilities is that of the plain policy gradient: minus the advantage, weighted', () => {
    const rows = [
      { logProbabilities: [-1, -2], advantage: 2 },
      { logProbabilities: [-3], advantage: -1 },
    ];
    const { loss, gradients, metrics } = policyObjective(rows, { lossType: 'bnpo' });
    expect(loss).toBeCloseTo(-(2 + 2 - 1) / 3, 12);
    expect(gradients.map((row) => [...row])).toEqual([[-2 / 3, -2 / 3], [1 / 3]]);
    expect(metrics).toMatchObject({ actions: 3, 'ratio/mean': 1, 'ratio/min': 1, 'ratio/max': 1 });
    expect(metrics).not.toHaveProperty('kl');
  });
});

/** One action with the given ratio. */
function single(ratio: number, advantage: number, options: ObjectiveOptions = {}): PolicyObjective {
  return policyObjective([{ logProbabilities: [Math.log(ratio)], old: [0], advantage }], options);
}

describe('clipping', () => {
  it.each([
    // ratio, advantage, options, loss, gradient
    [1.5, 1, {}, -1.2, 0],
    [1.5, 1, { epsilonHigh: 0.6 }, -1.5, -1.5],
    [1.5, -1, {}, 1.5, 1.5],
    [0.5, -1, {}, 0.8, 0],
    [0.5, 1, {}, -0.5, -0.5],
    [0.85, -1, { epsilon: 0.1 }, 0.9, 0],
    [5, -1, { delta: 3 }, 3, 0],
    [2, -1, { delta: 3 }, 2, 2],
    [1.1, 1, {}, -1.1, -1.1],
  ] as const)('at ratio %d with advantage %d and %j', (ratio, advantage, options, loss, gradient) => {
    const result = single(ratio, advantage, options);
    expect(result.loss).toBeCloseTo(loss, 12);
    expect(result.gradients[0]![0]).toBeCloseTo(gradient, 12);
  });

  it('is counted where it bites', () => {
    const ratios = [1.5, 0.5, 1.5, 0.5, 1];
    const rows = [1, -1].map((advantage) => ({
      logProbabilities: ratios.map((ratio) => Math.log(ratio)),
      old: ratios.map(() => 0),
      mask: [1, 1, 1, 0, 1],
      advantage,
    }));
    const { metrics } = policyObjective(rows);
    expect(metrics).toMatchObject({
      actions: 8,
      'clip_ratio/high_mean': 2 / 8,
      'clip_ratio/high_max': 2 / 8,
      'clip_ratio/low_mean': 1 / 8,
      'clip_ratio/low_min': 1 / 8,
      'clip_ratio/region_mean': 3 / 8,
    });
    expect(metrics['ratio/mean']).toBeCloseTo(4.5 / 4, 12);
    expect(metrics['ratio/max']).toBeCloseTo(1.5, 12);
    expect(metrics['ratio/min']).toBeCloseTo(0.5, 12);
  });

  it('of sequences takes the geometric mean of the ratios of the actions that count', () => {
    const row = { logProbabilities: [Math.log(4), Math.log(9), 5], old: [0, 0, 0], mask: [1, 1, 0], advantage: -1 };
    const { loss, metrics } = policyObjective([row], { importanceSampling: 'sequence' });
    expect(loss).toBeCloseTo(6, 10);
    expect(metrics['ratio/mean']).toBeCloseTo(6, 10);
  });
});

describe('the loss', () => {
  const rows = [
    { logProbabilities: [0, 0, 0, 0], advantage: 1 },
    { logProbabilities: [0, 0], mask: [1, 0], advantage: -3 },
    { logProbabilities: [0], mask: [0], advantage: 100 },
  ];

  it.each([
    ['grpo', (-1 + 3) / 3],
    ['bnpo', (-4 + 3) / 5],
    ['dr_grpo', (-4 + 3) / (3 * 8)],
    ['dapo', (-4 + 3) / 5],
  ] as const)('of %s', (lossType, expected) => {
    expect(policyObjective(rows, { lossType, maxCompletionLength: 8 }).loss).toBeCloseTo(expected, 12);
  });

  it.each(['grpo', 'dr_grpo', 'dapo'] as const)('of %s adds up over the parts of a step', (lossType) => {
    const whole = variedRows();
    const actions = whole.reduce((sum, { mask }) => sum + mask.filter((counts) => counts === 1).length, 0);
    const options = { lossType, beta: 0.1, maxCompletionLength: 20, step: { rows: whole.length, actions } };
    const parts = [whole.slice(0, 1), whole.slice(1)].map((part) => policyObjective(part, options));
    const together = policyObjective(whole, { ...options, step: undefined } as ObjectiveOptions);
    expect(parts[0]!.loss + parts[1]!.loss).toBeCloseTo(together.loss, 12);
    expect(parts.flatMap(({ gradients }) => gradients)).toEqual(together.gradients);
  });

  it('of bnpo is the mean of each part, weighted with its rows, as TRL accumulates it', () => {
    const whole = variedRows();
    const parts = [whole.slice(0, 2), whole.slice(2)];
    const sum = parts.reduce((sum, part) => sum + policyObjective(part, { step: { rows: 4, actions: 99 } }).loss, 0);
    const means = parts.map((part) => policyObjective(part).loss);
    expect(sum).toBeCloseTo((means[0]! + means[1]!) / 2, 12);
  });

  it('adds beta times the divergence, which is 0 for equal policies and positive for others', () => {
    const row = { logProbabilities: [-1, -2], reference: [-1, -2], advantage: 0 };
    expect(policyObjective([row], { beta: 0.5 }).loss).toBe(0);
    const { loss, metrics } = policyObjective([{ ...row, reference: [-1, -1] }], { beta: 0.5 });
    expect(metrics.kl).toBeCloseTo((Math.E - 2) / 2, 12);
    expect(loss).toBeCloseTo(0.5 * metrics.kl!, 12);
  });

  it('is 0 where nothing counts', () => {
    const { loss, metrics } = policyObjective([{ logProbabilities: [-1], mask: [0], advantage: 1 }]);
    expect(loss).toBe(0);
    expect(metrics).toMatchObject({ actions: 0, 'ratio/mean': 1, 'clip_ratio/region_mean': 0 });
  });
});

describe('what cannot be', () => {
  const row = { logProbabilities: [-1, -2], advantage: 1 };
  it.each<[string, PolicyActions, ObjectiveOptions]>([
    ['objective-rows', { ...row, old: [-1] }, {}],
    ['objective-rows', { ...row, mask: [1, 1, 1] }, {}],
    ['objective-rows', { ...row, logProbabilities: [-1, NaN] }, {}],
    ['objective-rows', { ...row, old: [-Infinity, -1] }, {}],
    ['objective-rows', { ...row, advantage: NaN }, {}],
    ['objective-rows', row, { beta: 0.1 }],
    ['objective-options', row, { epsilon: -0.1 }],
    ['objective-options', row, { epsilon: 1.5 }],
    ['objective-options', row, { delta: 0.5 }],
    ['objective-options', row, { beta: -1 }],
    ['objective-options', row, { lossType: 'dr_grpo' }],
    ['objective-options', row, { step: { rows: 0, actions: 0 } }],
    ['objective-not-finite', { ...row, old: [-1, -2000], advantage: -1 }, {}],
    ['objective-not-finite', { ...row, reference: [-1, 2000] }, { beta: 0.1 }],
  ])('is said: %s', (code, actions, options) => {
    expect(() => policyObjective([actions], options)).toThrow(expect.objectContaining({ code }));
  });

  it('does not look at what is masked', () => {
    const masked = { logProbabilities: [-1, NaN], old: [-1, -Infinity], mask: [1, 0], advantage: 1 };
    expect(policyObjective([masked]).loss).toBe(-1);
  });

  it('bounds a ratio without end by delta', () => {
    expect(single(1e300, -1, { delta: 4 }).loss).toBe(4);
  });
});
