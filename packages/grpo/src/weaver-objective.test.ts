// The weaver's objective: its log-probabilities, its gradients by finite differences, and the step it allows.
import {
  disposeGradients,
  evaluationLoss,
  ignoredLabel,
  startBackend,
  trainingLoss,
  type Decoder,
  type Weaver,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variedRows } from '../../core/src/memgen/woven-rows.test-helper.js';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { completionLogProbabilities, weaverObjective, type WeaverPolicyRow } from './weaver-objective.js';

let reasoner: Decoder;
let weaver: Weaver;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await frozenDecoder(tinyConfig());
  weaver = tinyWeaver(reasoner, { dropout: 0.3 });
});
afterAll(() => {
  weaver.dispose();
  reasoner.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const sum = (rows: readonly ArrayLike<number>[]) => rows.flatMap((row) => Array.from(row)).reduce((a, b) => a + b, 0);
const labelCounts = variedRows.map(({ labels }) => labels.filter((label) => label !== ignoredLabel).length);

/** Completions with advantages of both signs, one action masked, old and reference policies a little away. */
async function policyRows(temperature = 1): Promise<WeaverPolicyRow[]> {
  const { logProbabilities } = await completionLogProbabilities(reasoner, variedRows, { weaver, temperature });
  return variedRows.map((sequence, b) => ({
    sequence,
    advantage: [1, -0.5, 0.8, -1, 0.3][b]!,
    old: logProbabilities[b]!.map((value, t) => value + [0.03, -0.05, 0.4, -0.4][(b + t) % 4]!),
    reference: logProbabilities[b]!.map((value, t) => value + [0.2, -0.3, 0.1][(b + t) % 3]!),
    mask: logProbabilities[b]!.map((_, t) => (b === 1 && t === 2 ? 0 : 1)),
  }));
}

const settings = { lossType: 'grpo', beta: 0.2, temperature: 0.8 } as const;

describe('completionLogProbabilities', () => {
  it('has one for each label, and their mean is minus the loss of supervised training', async () => {
    const { logProbabilities, entropies } = await completionLogProbabilities(reasoner, variedRows, { weaver });
    expect(logProbabilities.map((row) => row.length)).toEqual(labelCounts);
    expect(entropies.map((row) => row.length)).toEqual(labelCounts);
    const { loss, tokens } = await evaluationLoss(reasoner, variedRows, weaver);
    expect(-sum(logProbabilities) / tokens).toBeCloseTo(loss, 4);
  });

  it('keeps rows apart: those of a row do not change with its company', async () => {
    const together = await completionLogProbabilities(reasoner, variedRows, { weaver, temperature: 0.8 });
    for (const [b, row] of variedRows.entries()) {
      const alone = await completionLogProbabilities(reasoner, [row], { weaver, temperature: 0.8 });
      expect(relativeDifference(together.logProbabilities[b]!, alone.logProbabilities[0]!)).toBeLessThan(2e-5);
      expect(relativeDifference(together.entropies[b]!, alone.entropies[0]!)).toBeLessThan(2e-5);
    }
  });
});

describe('weaverObjective', () => {
  it('has the slope of the loss, by finite differences along each gradient', async () => {
    const rows = await policyRows(settings.temperature);
    const { gradients } = await weaverObjective(reasoner, rows, { weaver, ...settings });
    expect(new Set(gradients.keys())).toEqual(new Set(weaver.parameters().values()));
    const some = /query_latents|latent_scale|weaver\.weight|reasoner\.bias|layers\.[01]\..*down_proj/;
    for (const [name, variable] of [...weaver.parameters()].filter(([name]) => some.test(name))) {
      const [gradient, kept] = [gradients.get(variable)!, variable.clone()];
      const norm = tf.tidy(() => tf.norm(gradient).dataSync()[0]!);
      const lossAt = async (step: number) => {
        tf.tidy(() => {
          variable.assign(tf.add(kept, tf.mul(gradient, step / norm)));
        });
        const result = await weaverObjective(reasoner, rows, { weaver, ...settings });
        disposeGradients(result.gradients);
        return result.loss;
      };
      const step = 5e-3;
      const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      variable.assign(kept);
      kept.dispose();
      expect(Math.abs(slope - norm), name).toBeLessThan(0.03 * norm + 2e-4);
    }
    disposeGradients(gradients);
  });

  it('without old log-probabilities and with advantage 1 has the gradient of supervised training', async () => {
    const rows = variedRows.map((sequence) => ({ sequence, advantage: 1 }));
    for (const gradientCheckpointing of [true, false]) {
      const options = { weaver, lossType: 'bnpo', gradientCheckpointing, dropoutSeed: 3 } as const;
      const got = await weaverObjective(reasoner, rows, options);
      const expected = await trainingLoss(reasoner, variedRows, { weaver, dropoutSeed: 3 });
      expect(got.loss).toBeCloseTo(-1, 6);
      expect(-sum(got.logProbabilities) / expected.tokens).toBeCloseTo(expected.loss, 4);
      for (const [variable, gradient] of expected.gradients) {
        expect(relativeDifference(got.gradients.get(variable)!.dataSync(), gradient.dataSync())).toBeLessThan(1e-5);
      }
      disposeGradients(got.gradients);
      disposeGradients(expected.gradients);
    }
  });

  it('raises what was rewarded: a step against the gradient lowers the loss and moves the probabilities', async () => {
    const rows = variedRows.map((sequence, b) => ({ sequence, advantage: b % 2 === 0 ? 1 : -1 }));
    const { gradients, logProbabilities, metrics } = await weaverObjective(reasoner, rows, { weaver });
    expect(metrics.entropy).toBeGreaterThan(0);
    expect(metrics.actions).toBe(sum([labelCounts]));
    const kept = [...gradients].map(([variable]) => ({ variable, value: variable.clone() }));
    tf.tidy(() => {
      for (const [variable, gradient] of gradients) variable.assign(tf.sub(variable, tf.mul(gradient, 0.02)));
    });
    const { logProbabilities: after } = await completionLogProbabilities(reasoner, variedRows, { weaver });
    const gain = after.map((row, b) => (sum([row]) - sum([logProbabilities[b]!])) * rows[b]!.advantage);
    expect(sum([gain])).toBeGreaterThan(0);
    for (const { variable, value } of kept) {
      variable.assign(value);
      value.dispose();
    }
    disposeGradients(gradients);
  });

  it('leaves nothing behind when it fails', async () => {
    const [first, ...rest] = await policyRows();
    const rows = [{ ...first!, advantage: NaN }, ...rest];
    await expect(weaverObjective(reasoner, rows, { weaver })).rejects.toMatchObject({ code: 'objective-rows' });
    const unlabelled = { ids: [1, 2, 3], labels: [-100, -100, -100], points: [] };
    const objective = weaverObjective(reasoner, [{ sequence: unlabelled, advantage: 1 }], { weaver });
    await expect(objective).rejects.toMatchObject({ code: 'label-mask' });
  });
});
