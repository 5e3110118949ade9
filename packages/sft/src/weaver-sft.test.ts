// Training a weaver: interruption changes nothing, accumulation equals a larger batch, the loss falls, the reasoner stays.
import { startBackend, type Decoder, type Weaver } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variedRows, wovenRow } from '../../core/src/memgen/woven-rows.test-helper.js';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { LatentWeaver } from '../../weaver/src/index.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { sftSteps } from './sft-options.js';
import { loadTrainingState, saveTrainingState } from './training-state.js';
import { trainWeaver, type WeaverSftOptions } from './weaver-sft.js';

let reasoner: Decoder;
let root: string;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  root = await mkdtemp(join(tmpdir(), 'memgen-sft-'));
});
afterAll(async () => {
  reasoner.dispose();
  await rm(root, { recursive: true });
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const fast: WeaverSftOptions = {
  batchSize: 2,
  steps: 4,
  schedule: { kind: 'cosine', peak: 0.01, warmup: 2 },
  adamW: { weightDecay: 0.1 },
};

function valuesOf(weaver: Weaver): Map<string, Float32Array> {
  return new Map(
    [...weaver.parameters()].map(([name, variable]) => [name, variable.dataSync().slice() as Float32Array]),
  );
}

async function trained(options: WeaverSftOptions, dropout = 0): Promise<Map<string, Float32Array>> {
  const weaver = tinyWeaver(reasoner, { dropout });
  await trainWeaver(reasoner, weaver, variedRows, options);
  const values = valuesOf(weaver);
  weaver.dispose();
  return values;
}

describe('trainWeaver', () => {
  it.each<[string, WeaverSftOptions, number]>([
    ['plain', {}, 0],
    ['with dropout', {}, 0.4],
    ['with dropout and accumulated gradients, over the end of an epoch', { gradientAccumulation: 2 }, 0.4],
    ['keeping activations', { gradientCheckpointing: false }, 0.4],
  ])('gives the same weights to the bit, interrupted or not: %s', async (name, changes, dropout) => {
    const options = { ...fast, ...changes, seed: 3 };
    const expected = await trained(options, dropout);
    const folder = join(root, name.replaceAll(' ', '-'));
    await mkdir(folder);

    const weaver = tinyWeaver(reasoner, { dropout });
    const controller = new AbortController();
    const first = await trainWeaver(reasoner, weaver, variedRows, {
      ...options,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 2) controller.abort();
      },
      checkpoint: {
        due: () => false,
        save: async (step, optimizer) => {
          await weaver.save(folder);
          await saveTrainingState(folder, step, optimizer);
        },
      },
    });
    expect(first).toEqual({ step: 2, complete: false });
    weaver.dispose();

    const loaded = await LatentWeaver.load(folder, reasoner);
    const resume = await loadTrainingState(folder);
    const second = await trainWeaver(reasoner, loaded, variedRows, { ...options, resume });
    expect(second).toEqual({ step: 4, complete: true });
    expect(valuesOf(loaded)).toEqual(expected);
    loaded.dispose();
  });

  it('depends on the seed: through the order of rows, and through dropout', async () => {
    const first = await trained({ ...fast, seed: 1 });
    const second = await trained({ ...fast, seed: 2 });
    const name = 'weaver_to_reasoner.weight';
    expect(relativeDifference(second.get(name)!, first.get(name)!)).toBeGreaterThan(1e-4);
    const whole = { ...fast, batchSize: variedRows.length };
    const [a, b] = [await trained({ ...whole, seed: 1 }, 0.5), await trained({ ...whole, seed: 2 }, 0.5)];
    expect(relativeDifference(b.get(name)!, a.get(name)!)).toBeGreaterThan(1e-4);
  });

  it('drops other units in each step', async () => {
    const losses = async (dropout: number) => {
      const found: number[] = [];
      const weaver = tinyWeaver(reasoner, { dropout });
      await trainWeaver(reasoner, weaver, [variedRows[0]!], {
        steps: 3,
        schedule: { kind: 'constant', peak: 0 },
        onStep: ({ loss }) => void found.push(loss),
      });
      weaver.dispose();
      return new Set(found).size;
    };
    expect([await losses(0.4), await losses(0)]).toEqual([3, 1]);
  });

  it('takes the same steps in one pass or in several', async () => {
    const options = { ...fast, adamW: { epsilon: 1e-3 }, steps: 3 };
    const whole = await trained({ ...options, batchSize: 4, gradientAccumulation: 1 });
    const parts = await trained({ ...options, batchSize: 1, gradientAccumulation: 4 });
    for (const [name, values] of whole) {
      expect(relativeDifference(parts.get(name)!, values), name).toBeLessThan(1e-4);
    }
  });

  it('lowers the loss on its rows and leaves the reasoner as it is', async () => {
    const weights = reasoner.weights.layers[0]!.queryKeyValue.weight.dataSync().slice();
    const losses: number[] = [];
    const weaver = tinyWeaver(reasoner);
    const rows = [wovenRow(10, 4, [6, 8], 1), wovenRow(9, 3, [5], 2)];
    await trainWeaver(reasoner, weaver, rows, {
      batchSize: 2,
      steps: 15,
      schedule: { kind: 'constant', peak: 0.05 },
      onStep: ({ loss }) => void losses.push(loss),
    });
    weaver.dispose();
    expect(losses.at(-1)).toBeLessThan(0.6 * losses[0]!);
    expect(reasoner.weights.layers[0]!.queryKeyValue.weight.dataSync()).toEqual(weights);
  });

  it('reports supervised and read tokens of each step', async () => {
    const reports: number[][] = [];
    const weaver = tinyWeaver(reasoner);
    await trainWeaver(reasoner, weaver, variedRows, {
      steps: 1,
      batchSize: 3,
      gradientAccumulation: 2,
      onStep: ({ tokens, readTokens }) => void reports.push([tokens, readTokens]),
    });
    weaver.dispose();
    const tokens = variedRows.flatMap(({ labels }) => labels.filter((label) => label !== -100)).length;
    expect(reports).toEqual([[tokens, variedRows.flatMap(({ ids }) => ids).length]]);
  });

  it('refuses no rows, and a state of another weaver, leaving nothing behind', async () => {
    const weaver = tinyWeaver(reasoner);
    await expect(trainWeaver(reasoner, weaver, [])).rejects.toMatchObject({ code: 'data-empty' });
    const optimizerState = new Map([
      ['prompt_latent_scale|mean', { shape: [1], data: new Float32Array(1) }],
      ['prompt_query_latents|mean', { shape: [8, 16], data: new Float32Array(128) }],
    ]);
    const resume = { step: 1, optimizerState };
    await expect(trainWeaver(reasoner, weaver, variedRows, { ...fast, resume })).rejects.toMatchObject({
      code: 'optimizer-state',
      where: 'prompt_query_latents|mean',
    });
    weaver.dispose();
  });
});

describe('sftSteps', () => {
  it('counts whole epochs of optimizer steps, unless steps are given', () => {
    expect(sftSteps(10, { batchSize: 4, epochs: 3 })).toBe(9);
    expect(sftSteps(10, { batchSize: 2, gradientAccumulation: 3 })).toBe(4);
    expect(sftSteps(10, { steps: 7 })).toBe(7);
  });
});
