// Evaluation: one mean over all tokens, the best model, patience, the state between.
import type { PlainSequence } from '@memgen/core';
import { describe, expect, it } from 'vitest';
import { Evaluator, meanLoss, type EvaluationOptions, type EvaluationState } from './evaluation.js';
import type { SupervisedModel } from './supervised-model.js';

const rows: PlainSequence[] = [1, 2, 4].map((tokens) => ({
  ids: Array.from({ length: tokens + 1 }, () => 0),
  labels: [-100, ...Array.from({ length: tokens }, () => 1)],
}));

/** A model whose loss on a pass is the next of the given numbers, and that counts tokens truly. */
function modelOf(losses: readonly number[]): SupervisedModel<PlainSequence> {
  let next = 0;
  return {
    parameters: () => new Map(),
    gradients: () => Promise.resolve({ loss: 0, tokens: 0, gradients: new Map() }),
    loss: (batch) => {
      const tokens = batch.reduce((sum, { ids }) => sum + ids.length - 1, 0);
      return Promise.resolve({ loss: losses[next++]!, tokens });
    },
    save: () => Promise.resolve(),
  };
}

function evaluator(
  losses: readonly number[],
  options: Partial<EvaluationOptions<PlainSequence>> = {},
  state?: EvaluationState,
): Evaluator<PlainSequence> {
  const evaluation = { rows, batchSize: 3, ...options };
  return new Evaluator({ model: modelOf(losses), evaluation, steps: 10, stepsPerEpoch: 4, batchSize: 1, state });
}

describe('meanLoss', () => {
  it('weighs tokens, not passes', async () => {
    expect(await meanLoss(modelOf([7, 1, 2]), rows, { batchSize: 1 })).toEqual({ loss: (7 + 2 + 8) / 7, tokens: 7 });
    expect(await meanLoss(modelOf([3, 1]), rows, { batchSize: 2 })).toEqual({ loss: (9 + 4) / 7, tokens: 7 });
  });

  it('ends at a signal, between passes', async () => {
    const controller = new AbortController();
    const model = modelOf([1, 1, 1]);
    const loss = (batch: readonly PlainSequence[]) => {
      controller.abort();
      return model.loss(batch);
    };
    expect(await meanLoss({ loss }, rows, { batchSize: 1, signal: controller.signal })).toBeUndefined();
  });
});

describe('Evaluator', () => {
  it('is due every epoch or every so many steps, at the end, and once', async () => {
    const due = (of: Evaluator<PlainSequence>) => Array.from({ length: 10 }, (_, i) => i + 1).filter((step) => of.due(step)); // prettier-ignore
    expect(due(evaluator([]))).toEqual([4, 8, 10]);
    expect(due(evaluator([], { every: 3 }))).toEqual([3, 6, 9, 10]);
    const once = evaluator([1]);
    await once.run(4);
    expect(once.due(4)).toBe(false);
  });

  it('remembers the best and counts what is no sufficient improvement', async () => {
    const tested = evaluator([5, 4, 3.9, 4.5, 3.0], { patience: 3, minimumImprovement: 0.5 });
    const seen: unknown[] = [];
    for (const step of [1, 2, 3, 4, 5]) {
      const result = await tested.run(step);
      seen.push([result, tested.state!.best.step, tested.state!.withoutImprovement, tested.exhausted]);
    }
    expect(seen).toEqual([
      ['best', 1, 0, false],
      ['best', 2, 0, false],
      ['best', 3, 1, false],
      ['not-best', 3, 2, false],
      ['best', 5, 0, false],
    ]);
  });

  it('goes on from a state, to the same end', async () => {
    const first = evaluator([1, 2], { patience: 2 });
    await first.run(1);
    await first.run(2);
    const second = evaluator([3], { patience: 2 }, first.state);
    expect(second.exhausted).toBe(false);
    expect(second.due(2)).toBe(false);
    await second.run(3);
    expect(second.exhausted).toBe(true);
    expect(second.state).toEqual({ step: 3, best: { step: 1, loss: 1 }, withoutImprovement: 2 });
  });

  it('refuses no rows, and a loss that is no number', async () => {
    expect(() => evaluator([], { rows: [] })).toThrow(expect.objectContaining({ code: 'data-empty' }));
    await expect(evaluator([NaN]).run(4)).rejects.toMatchObject({
      code: 'loss-not-finite',
      where: 'evaluation after step 4',
    });
  });
});
