// LoRA SFT: gradients against tfjs's own tape, the base untouched, accumulation, dropout.
import { Random } from '@memgen/common';
import {
  LoraAdapter,
  loadAdapter,
  languageModelLoss,
  startBackend,
  type Decoder,
  type PlainSequence,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../../core/src/ops/operation-check.test-helper.js';
import { adapterModel, sequenceLoss, trainAdapter } from './adapter-sft.js';
import type { SftOptions } from './sft-options.js';
import { plainRows, tinyAdapter, valuesOf } from './sft-rows.test-helper.js';
import { supervisedTokens } from './supervised-model.js';

let decoder: Decoder;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig());
});
afterAll(() => {
  decoder.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const fast: SftOptions<PlainSequence> = {
  batchSize: 2,
  steps: 3,
  schedule: { kind: 'linear', peak: 0.02, warmup: 1 },
  adamW: { epsilon: 1e-3 },
};

async function trained(options: SftOptions<PlainSequence>, dropout = 0) {
  const adapter = tinyAdapter(decoder, { dropout });
  const norms: number[] = [];
  const losses: number[] = [];
  await trainAdapter(decoder, adapter, plainRows, {
    ...options,
    onStep: ({ gradientNorm, loss }) => {
      norms.push(gradientNorm);
      losses.push(loss);
    },
  });
  const values = valuesOf(adapter.parameters());
  adapter.dispose();
  return { values, norms, losses };
}

describe('adapterModel', () => {
  it.each([true, false])("has the gradients of tfjs's own tape (checkpointing %s)", async (gradientCheckpointing) => {
    const adapter = tinyAdapter(decoder);
    const parameters = adapter.parameters();
    const { value, grads } = tf.variableGrads(() => {
      const { loss, tokens } = languageModelLoss(decoder, plainRows, { adapter });
      return tf.div(loss, tokens).asScalar();
    }, [...parameters.values()]);
    const model = adapterModel(decoder, adapter);
    const { loss, tokens, gradients } = await model.gradients(plainRows, { gradientCheckpointing });
    expect(loss).toBeCloseTo(value.dataSync()[0]!, 5);
    expect(loss).toBeCloseTo((await sequenceLoss(decoder, plainRows, adapter)).loss, 5);
    expect(tokens).toBe(plainRows.reduce((sum, row) => sum + supervisedTokens(row), 0));
    expect(gradients.size).toBe(parameters.size);
    for (const [name, variable] of parameters) {
      const difference = relativeDifference(gradients.get(variable)!.dataSync(), grads[variable.name]!.dataSync());
      expect(difference, name).toBeLessThan(1e-4);
    }
    tf.dispose([value, ...Object.values(grads), ...gradients.values()]);
    adapter.dispose();
  });

  it('supervises labels alone: other words of the prompt change the loss, other labels of masked tokens do not', async () => {
    const [row] = plainRows as [PlainSequence];
    const loss = async (changed: PlainSequence) => (await sequenceLoss(decoder, [changed])).loss;
    const first = row.labels.findIndex((label) => label >= 0);
    const alone = { ids: row.ids, labels: row.ids.map((id, i) => (i === first ? id : -100)) };
    // What comes after the only label cannot matter; what comes before it does.
    const other = (changes: (i: number) => boolean) => row.ids.map((id, i) => (changes(i) ? (id + 3) % 32 : id));
    expect(await loss({ ...alone, ids: other((i) => i > first) })).toBe(await loss(alone));
    expect(await loss({ ...alone, ids: other((i) => i < first) })).not.toBe(await loss(alone));
  });

  it('does not let a row see another one of its pass, nor the padding', async () => {
    const together = await sequenceLoss(decoder, plainRows);
    let sum = 0;
    for (const row of plainRows) sum += (await sequenceLoss(decoder, [row])).loss * supervisedTokens(row);
    expect(together.loss).toBeCloseTo(sum / together.tokens, 5);
  });
});

describe('trainAdapter', () => {
  it('lowers the loss and leaves the base as it is; its checkpoint is an adapter folder', async () => {
    const weight = decoder.weights.layers[0]!.queryKeyValue.weight.dataSync().slice();
    const adapter = LoraAdapter.initialize(decoder.config, { r: 4, alpha: 8, targetModules: 'all-linear' }, Random.fromSeed(1)); // prettier-ignore
    const { loss: initial } = await sequenceLoss(decoder, plainRows, adapter);
    const folder = await mkdtemp(join(tmpdir(), 'memgen-adapter-'));
    const outcome = await trainAdapter(decoder, adapter, plainRows, {
      steps: 25,
      schedule: { kind: 'constant', peak: 0.03 },
      checkpoints: { folder },
    });
    expect(outcome).toEqual({ step: 25, complete: true });
    expect((await sequenceLoss(decoder, plainRows, adapter)).loss).toBeLessThan(0.7 * initial);
    expect(decoder.weights.layers[0]!.queryKeyValue.weight.dataSync()).toEqual(weight);

    const loaded = await loadAdapter(join(folder, 'step-000025', 'adapter'), decoder.config);
    expect(valuesOf(loaded.parameters())).toEqual(valuesOf(adapter.parameters()));
    loaded.dispose();
    adapter.dispose();
    await rm(folder, { recursive: true });
  });

  it('takes the same steps in one pass or in several; summed means are longer', async () => {
    const whole = await trained({ ...fast, batchSize: 4 });
    const parts = await trained({ ...fast, batchSize: 1, gradientAccumulation: 4 });
    for (const [name, values] of whole.values) {
      expect(relativeDifference(parts.values.get(name)!, values), name).toBeLessThan(1e-3);
    }
    // Four equal rows: every pass has the same mean, so their sum is four times the mean of all.
    const equal = Array.from({ length: 4 }, () => plainRows[0]!);
    const [mean, sum] = await Promise.all(
      (['token-mean', 'sum-of-means'] as const).map(async (accumulation) => {
        const adapter = tinyAdapter(decoder);
        const found: number[][] = [];
        await trainAdapter(decoder, adapter, equal, {
          ...fast,
          batchSize: 1,
          gradientAccumulation: 4,
          accumulation,
          steps: 1,
          onStep: ({ loss, gradientNorm }) => void found.push([loss, gradientNorm]),
        });
        adapter.dispose();
        return found[0]!;
      }),
    );
    expect(sum![0]! / mean![0]!).toBeCloseTo(4, 4);
    expect(sum![1]! / mean![1]!).toBeCloseTo(4, 3);
  });

  it('drops other units in each step, the same ones for the same seed', async () => {
    const still = { ...fast, batchSize: 4, shuffle: false, schedule: { kind: 'constant', peak: 0 } } as const;
    const [first, again, other] = [await trained(still, 0.5), await trained(still, 0.5), await trained({ ...still, seed: 1 }, 0.5)]; // prettier-ignore
    expect(new Set(first.losses).size).toBe(3);
    expect(again.losses).toEqual(first.losses);
    expect(other.losses).not.toEqual(first.losses);
  });
});
