// Loss and gradients of woven rows: both tapes, tfjs's own, finite differences, halves of a batch, rows in any order.
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { startBackend } from '../backend/index.js';
import type { Decoder } from '../model/decoder.js';
import { languageModelLoss } from '../model/language-model-loss.js';
import { frozenDecoder, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { tokenLoss } from '../ops/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { accumulateGradients, disposeGradients, type Gradients } from '../optimization/index.js';
import { eager } from '../training/index.js';
import { evaluationLoss, trainingLoss, type TrainingLoss, type TrainingLossOptions } from './training-loss.js';
import type { Weaver } from './weaver.js';
import { wovenForward, type WovenRow } from './woven-forward.js';
import { variedRows, wovenRow } from './woven-rows.test-helper.js';

let reasoner: Decoder;
let bases: Decoder[];
let weavers: Weaver[];
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await frozenDecoder(tinyConfig());
  const other = await frozenDecoder(tinyConfig({ model_type: 'qwen3', hidden_size: 12, head_dim: 4 }), 2);
  bases = [reasoner, other];
  weavers = [
    tinyWeaver(reasoner, { dropout: 0.3 }),
    tinyWeaver(other, { reasonerHidden: 16, promptLatents: 2, inferenceLatents: 4 }),
  ];
});
afterAll(() => {
  for (const owner of [...weavers, ...bases]) owner.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const tokens = variedRows.reduce((sum, { labels }) => sum + labels.filter((label) => label !== -100).length, 0);

function expectSame(got: Gradients, expected: Gradients, weaver: Weaver, tolerance = 1e-4): void {
  for (const [name, variable] of weaver.parameters()) {
    const [a, b] = [got.get(variable), expected.get(variable)];
    expect(a === undefined, name).toBe(b === undefined);
    if (a === undefined || b === undefined) continue;
    expect(relativeToLargest(a.dataSync(), b.dataSync()), name).toBeLessThan(tolerance);
  }
  expect(got.size).toBe(expected.size);
}

/** Gradients are small: compare them with their own largest entry. */
function relativeToLargest(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(expected, Math.abs));
  expect(largest).toBeGreaterThan(0);
  const scaled = (values: ArrayLike<number>) => Array.from(values, (value) => value / largest);
  return relativeDifference(scaled(got), scaled(expected));
}

function lossOf(rows: readonly WovenRow[], options: TrainingLossOptions): Promise<TrainingLoss> {
  return trainingLoss(reasoner, rows, options);
}

/** By tfjs's own tape over the eager forward. */
function lossByTfjs(
  rows: readonly WovenRow[],
  weaver: Weaver,
  dropoutSeed?: number,
): { loss: number; gradients: Gradients } {
  const parameters = [...weaver.parameters().values()];
  const { value, grads } = tf.variableGrads(() => {
    const forward = wovenForward(reasoner, rows, { execution: eager, weaver, dropoutSeed });
    const size = reasoner.config.hiddenSize;
    const places = rows.flatMap(({ labels }, row) =>
      labels.flatMap((label, i) => (label === -100 ? [] : [{ label, ...forward.locate(row, i - 1) }])),
    );
    const hidden = places.map(({ part, at }) => tf.slice(forward[part], [at, 0], [1, size]));
    const labels = places.map(({ label }) => label);
    return tf.div(tokenLoss(tf.concat(hidden, 0), labels, reasoner.weights.head), labels.length).asScalar();
  }, parameters);
  const loss = value.dataSync()[0]!;
  value.dispose();
  return { loss, gradients: new Map(parameters.map((variable) => [variable, grads[variable.name]!])) };
}

describe('trainingLoss', () => {
  it('has the loss of an evaluation and gradients for every parameter of the weaver', async () => {
    for (const weaver of weavers) {
      const { loss, tokens: counted, gradients } = await lossOf(variedRows, { weaver });
      const evaluation = await evaluationLoss(reasoner, variedRows, weaver);
      expect([counted, evaluation.tokens]).toEqual([tokens, tokens]);
      expect(Math.abs(loss - evaluation.loss)).toBeLessThan(1e-5);
      expect(new Set(gradients.keys())).toEqual(new Set(weaver.parameters().values()));
      for (const [variable, gradient] of gradients) expect(gradient.shape).toEqual(variable.shape);
      disposeGradients(gradients);
    }
  });

  it('equals what tfjs differentiates by itself', async () => {
    for (const weaver of weavers) {
      const expected = lossByTfjs(variedRows, weaver);
      for (const gradientCheckpointing of [true, false]) {
        const { loss, gradients } = await lossOf(variedRows, { weaver, gradientCheckpointing });
        expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-5);
        expectSame(gradients, expected.gradients, weaver);
        disposeGradients(gradients);
      }
      disposeGradients(expected.gradients);
    }
  });

  it('equals what tfjs differentiates under dropout too, which the seed alone decides', async () => {
    const weaver = weavers[0]!;
    const expected = lossByTfjs(variedRows, weaver, 5);
    const [kept, recomputed, another, without] = [
      await lossOf(variedRows, { weaver, dropoutSeed: 5, gradientCheckpointing: false }),
      await lossOf(variedRows, { weaver, dropoutSeed: 5 }),
      await lossOf(variedRows, { weaver, dropoutSeed: 6 }),
      await lossOf(variedRows, { weaver }),
    ];
    for (const { loss, gradients } of [kept, recomputed]) {
      expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-5);
      expectSame(gradients, expected.gradients, weaver);
    }
    expect(Math.abs(another.loss - kept.loss)).toBeGreaterThan(1e-4);
    expect(Math.abs(without.loss - kept.loss)).toBeGreaterThan(1e-4);
    for (const { gradients } of [expected, kept, recomputed, another, without]) disposeGradients(gradients);
  });

  it('has the slope of the loss, by finite differences along each gradient', async () => {
    const weaver = weavers[0]!;
    const { gradients } = await lossOf(variedRows, { weaver });
    const some = /query_latents|latent_scale|weaver\.weight|reasoner\.bias|layers\.[01]\..*down_proj/;
    for (const [name, variable] of [...weaver.parameters()].filter(([name]) => some.test(name))) {
      const [gradient, kept] = [gradients.get(variable)!, variable.clone()];
      const norm = tf.tidy(() => tf.norm(gradient).dataSync()[0]!);
      const lossAt = async (step: number) => {
        tf.tidy(() => {
          variable.assign(tf.add(kept, tf.mul(gradient, step / norm)));
        });
        return (await evaluationLoss(reasoner, variedRows, weaver)).loss;
      };
      const step = 2e-2;
      const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      variable.assign(kept);
      kept.dispose();
      expect(Math.abs(slope - norm), name).toBeLessThan(0.03 * norm + 1e-4);
    }
    disposeGradients(gradients);
  });

  it('adds up over parts of a batch that share a normalizer', async () => {
    const weaver = weavers[0]!;
    const whole = await lossOf(variedRows, { weaver });
    const sums: Gradients = new Map();
    let loss = 0;
    for (const part of [variedRows.slice(0, 2), variedRows.slice(2)]) {
      const result = await lossOf(part, { weaver, normalizer: tokens });
      loss += result.loss;
      accumulateGradients(sums, result.gradients);
    }
    expect(Math.abs(loss - whole.loss)).toBeLessThan(1e-5);
    expectSame(sums, whole.gradients, weaver);
    disposeGradients(sums);
    disposeGradients(whole.gradients);
  });

  it('does not depend on the order of the rows', async () => {
    const weaver = weavers[0]!;
    const forward = await lossOf(variedRows, { weaver });
    const order = [3, 1, 4, 0, 2].map((i) => variedRows[i]!);
    const shuffled = await lossOf(order, { weaver });
    expect(Math.abs(forward.loss - shuffled.loss)).toBeLessThan(1e-5);
    expectSame(shuffled.gradients, forward.gradients, weaver);
    disposeGradients(forward.gradients);
    disposeGradients(shuffled.gradients);
  });

  it('leaves out parameters that no row uses', async () => {
    const weaver = weavers[0]!;
    const { gradients } = await lossOf([wovenRow(6, 3, [], 1)], { weaver });
    const parameters = weaver.parameters();
    expect(gradients.has(parameters.get('prompt_query_latents')!)).toBe(true);
    expect(gradients.has(parameters.get('inference_query_latents')!)).toBe(false);
    disposeGradients(gradients);
  });

  it('is the plain language-model loss where nothing is woven', async () => {
    const rows = [wovenRow(7, 3, undefined, 1), wovenRow(5, 2, undefined, 2, 4), wovenRow(9, 8, undefined, 3)];
    const expected = tf.tidy(() => {
      const { loss, tokens } = languageModelLoss(reasoner, rows);
      return loss.dataSync()[0]! / tokens;
    });
    expect(Math.abs((await evaluationLoss(reasoner, rows)).loss - expected)).toBeLessThan(1e-5);
    const { loss, gradients } = await lossOf(rows, {});
    expect(Math.abs(loss - expected)).toBeLessThan(1e-5);
    expect(gradients.size).toBe(0);
  });

  it('leaves nothing behind when it fails', async () => {
    const weaver = weavers[0]!;
    const broken = { ...variedRows[0]!, ids: variedRows[0]!.ids.map((id, i) => (i === 7 ? 99 : id)) };
    await expect(lossOf([variedRows[1]!, broken], { weaver })).rejects.toMatchObject({ code: 'token-id' });
    await expect(lossOf(variedRows, {})).rejects.toMatchObject({ code: 'weaver-missing' });
  });
});
