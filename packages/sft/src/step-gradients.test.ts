// Accumulation: one mean over all tokens, or the reference's sum of means, to the bit.
import { accumulateGradients, startBackend, trainingLoss, type Decoder, type Gradients } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variedRows } from '../../core/src/memgen/woven-rows.test-helper.js';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { stepGradients, type StepGradientOptions } from './step-gradients.js';
import type { SupervisedModel } from './supervised-model.js';
import { weaverModel } from './weaver-sft.js';

let reasoner: Decoder;
let before: number;
beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
});
afterAll(() => {
  reasoner.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const tokensOf = (rows: typeof variedRows) =>
  rows.reduce((sum, { labels }) => sum + labels.filter((label) => label !== -100).length, 0);

describe('stepGradients', () => {
  it("gives the reference's sum of each pass's mean by option, and the mean of all by default", async () => {
    const weaver = tinyWeaver(reasoner);
    const passes = [variedRows.slice(0, 2), variedRows.slice(2, 4), variedRows.slice(4)];
    const summed: Gradients = new Map();
    const losses: number[] = [];
    for (const rows of passes) {
      const part = await trainingLoss(reasoner, rows, { weaver });
      accumulateGradients(summed, part.gradients);
      losses.push(part.loss);
    }
    const step = (options: StepGradientOptions) => stepGradients(weaverModel(reasoner, weaver), variedRows, options);
    const sum = await step({ batchSize: 2, accumulation: 'sum-of-means' });
    expect(sum.loss).toBe(losses.reduce((total, loss) => total + loss, 0));
    for (const [variable, gradient] of summed) {
      expect(sum.gradients.get(variable)!.dataSync()).toEqual(gradient.dataSync());
    }

    const [parts, whole] = [await step({ batchSize: 2 }), await step({})];
    const weighted = losses.reduce((total, loss, i) => total + loss * tokensOf(passes[i]!), 0);
    expect(parts.loss).toBeCloseTo(weighted / tokensOf(variedRows), 5);
    expect(parts.tokens).toBe(tokensOf(variedRows));
    for (const [variable, gradient] of whole.gradients) {
      const difference = relativeDifference(parts.gradients.get(variable)!.dataSync(), gradient.dataSync());
      expect(difference).toBeLessThan(1e-4);
    }
    for (const gradients of [summed, sum.gradients, parts.gradients, whole.gradients]) tf.dispose([...gradients.values()]); // prettier-ignore
    weaver.dispose();
  });

  it('names the rows of the pass that leaves the numbers, and asks for no more', async () => {
    const asked: number[] = [];
    const model: SupervisedModel<(typeof variedRows)[number]> = {
      ...weaverModel(reasoner, tinyWeaver(reasoner)),
      gradients: (rows) => {
        asked.push(rows.length);
        return Promise.resolve({ loss: asked.length === 2 ? NaN : 1, tokens: 1, gradients: new Map() });
      },
    };
    const options = { batchSize: 2, names: ['a', 'b', 'c', 'd', 'e'] };
    const { loss, source } = await stepGradients(model, variedRows, options);
    expect([loss, source, asked]).toEqual([NaN, 'rows c, d', [2, 2]]);
    tf.dispose([...model.parameters().values()]);
  });

  it('leaves nothing behind when a pass fails', async () => {
    const weaver = tinyWeaver(reasoner);
    const broken = { ...variedRows[1]!, ids: variedRows[1]!.ids.map(() => 9999) };
    const rows = [variedRows[0]!, broken];
    await expect(stepGradients(weaverModel(reasoner, weaver), rows, { batchSize: 1 })).rejects.toThrow(
      expect.objectContaining({ code: 'token-id' }),
    );
    weaver.dispose();
  });
});
