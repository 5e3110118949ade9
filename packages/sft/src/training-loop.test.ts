// The loop itself, on a parabola: reports, clipping, checkpoints, interruption.
import { AdamW, startBackend, type Gradients, type Optimizer } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTrainingLoop, type LoopEvaluation, type StepReport, type TrainingLoopOptions } from './training-loop.js';

let before: number;
let x: tf.Variable;
let optimizer: Optimizer;

beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
  x = tf.tidy(() => tf.variable(tf.tensor1d([3, 4])));
  optimizer = new AdamW(new Map([['x', x]]));
});
afterEach(() => {
  optimizer.dispose();
  x.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

/** Minimises |x|^2 / 2, whose gradient is x. */
function run(options: Partial<TrainingLoopOptions> = {}) {
  return runTrainingLoop({
    steps: 5,
    schedule: { kind: 'linear', peak: 0.1, warmup: 2 },
    optimizer,
    gradients: (step) => {
      const gradients: Gradients = new Map([[x, x.clone()]]);
      return { loss: Math.hypot(...x.dataSync()) ** 2 / 2, tokens: step + 1, readTokens: 7, gradients }; // prettier-ignore
    },
    ...options,
  });
}

describe('runTrainingLoop', () => {
  it('reports each step: its loss before the update, its norm before clipping, its learning rate', async () => {
    const reports: StepReport[] = [];
    const outcome = await run({ onStep: (report) => void reports.push(report) });
    expect(outcome).toEqual({ step: 5, complete: true });
    expect(reports.map(({ step, tokens }) => [step, tokens])).toEqual([[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]); // prettier-ignore
    expect(reports.map(({ learningRate }) => Number(learningRate.toFixed(6)))).toEqual([0, 0.05, 0.1, 0.066667, 0.033333]); // prettier-ignore
    expect(reports[0]).toEqual({ step: 1, steps: 5, loss: 12.5, gradientNorm: 5, learningRate: 0, tokens: 1, readTokens: 7 }); // prettier-ignore
    expect(reports[1]!.loss).toBe(12.5);
    expect(reports[4]!.loss).toBeLessThan(reports[2]!.loss);
  });

  it('clips gradients to the norm it is given, 1 by default', async () => {
    const norms: number[] = [];
    const spy: Optimizer = {
      ...optimizer,
      step: (gradients) => {
        norms.push(Math.hypot(...gradients.get(x)!.dataSync()));
      },
    };
    await run({ steps: 1, optimizer: spy, schedule: { kind: 'constant', peak: 1 } });
    await run({ steps: 1, optimizer: spy, schedule: { kind: 'constant', peak: 1 }, clipNorm: 2.5 });
    await run({ steps: 1, optimizer: spy, schedule: { kind: 'constant', peak: 1 }, clipNorm: 100 });
    [1, 2.5, 5].forEach((norm, i) => {
      expect(norms[i]).toBeCloseTo(norm, 4);
    });
  });

  it('saves when it is due, and at the end unless it has just saved', async () => {
    const saves = async (due: (step: number) => boolean) => {
      const saved: number[] = [];
      await run({ checkpoint: { due, save: (step) => Promise.resolve(void saved.push(step)) } });
      return saved;
    };
    expect(await saves((step) => step % 2 === 0)).toEqual([2, 4, 5]);
    expect(await saves((step) => step % 5 === 0)).toEqual([5]);
    expect(await saves(() => false)).toEqual([5]);
  });

  it('finishes the step in hand when interrupted, saves and returns', async () => {
    const controller = new AbortController();
    const saved: number[] = [];
    const outcome = await run({
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 3) controller.abort();
      },
      checkpoint: { due: () => false, save: (step) => Promise.resolve(void saved.push(step)) },
    });
    expect(outcome).toEqual({ step: 3, complete: false });
    expect(saved).toEqual([3]);
  });

  it('can be interrupted from outside, by a timer', async () => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 5);
    const outcome = await run({ steps: 100_000, signal: controller.signal });
    expect(outcome.complete).toBe(false);
    expect(outcome.step).toBeGreaterThan(0);
  });

  it('goes on from a first step, and has nothing to do at the end', async () => {
    const steps: number[] = [];
    const options = { onStep: ({ step }: StepReport) => void steps.push(step) };
    expect(await run({ ...options, firstStep: 3 })).toEqual({ step: 5, complete: true });
    const saved: number[] = [];
    const checkpoint = { due: () => true, save: (step: number) => Promise.resolve(void saved.push(step)) };
    expect(await run({ ...options, firstStep: 5, checkpoint })).toEqual({ step: 5, complete: true });
    expect(steps).toEqual([4, 5]);
    expect(saved).toEqual([]);
  });

  it('lets errors through, of the schedule before the first step', async () => {
    let asked = 0;
    const gradients = () => {
      asked++;
      throw new Error('no data');
    };
    await expect(run({ gradients })).rejects.toThrow('no data');
    await expect(run({ gradients, schedule: { kind: 'linear', peak: 1, warmup: 6 } })).rejects.toMatchObject({
      code: 'schedule',
    });
    expect(asked).toBe(1);
  });

  it.each([
    ['loss', { loss: NaN }, 'loss NaN, gradient norm 4.9'],
    ['gradient', { gradients: () => new Map([[x, tf.mul(x, Infinity)]]) }, 'gradient norm Infinity'],
  ])('stops before a %s that is no number reaches the parameters, naming step and rows', async (_, changes, got) => {
    const gradients = (step: number) => ({
      loss: step === 2 && 'loss' in changes ? changes.loss! : 1,
      tokens: 1,
      readTokens: 1,
      gradients: step === 2 && 'gradients' in changes ? changes.gradients!() : new Map([[x, x.clone()]]),
      source: `rows ${step}, 9`,
    });
    const values: number[][] = [];
    const failure = run({ gradients, onStep: () => void values.push([...x.dataSync()]) });
    await expect(failure).rejects.toMatchObject({
      code: 'loss-not-finite',
      where: 'step 3, rows 2, 9',
      got: expect.stringContaining(got) as string,
    });
    expect([...x.dataSync()]).toEqual(values[1]);
  });

  it('saves a new best model, and stops when the evaluation is exhausted', async () => {
    const evaluated: number[] = [];
    const evaluation: LoopEvaluation = {
      due: (step) => step % 2 === 0,
      run: (step) => {
        evaluated.push(step);
        return Promise.resolve(step === 2 ? 'best' : 'not-best');
      },
      get exhausted() {
        return evaluated.length === 2;
      },
    };
    const saved: number[] = [];
    const checkpoint = { due: () => false, save: (step: number) => Promise.resolve(void saved.push(step)) };
    const outcome = await run({ steps: 9, evaluation, checkpoint });
    expect(outcome).toEqual({ step: 4, complete: true, stoppedEarly: true });
    expect(evaluated).toEqual([2, 4]);
    expect(saved).toEqual([2, 4]);
  });

  it('does an evaluation first that an interruption cut short', async () => {
    const order: string[] = [];
    const evaluation: LoopEvaluation = {
      due: (step) => step === 3 && order.length === 0,
      run: (step) => Promise.resolve(order.push(`evaluation ${step}`) > 0 ? 'not-best' : 'best'),
      exhausted: false,
    };
    await run({ firstStep: 3, evaluation, onStep: ({ step }) => void order.push(`step ${step}`) });
    expect(order).toEqual(['evaluation 3', 'step 4', 'step 5']);
  });
});
