// Pre-training on a toy language: the loss falls, and an interrupted run ends where an uninterrupted one does.
import { Random } from '@memgen/common';
import { decoderParameters, startBackend, type Decoder, type PlainSequence } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tinyConfig, trainableDecoder } from '../../core/src/model/tiny-decoder.test-helper.js';
import { pretrain, type PretrainingOptions } from './pretraining.js';
import { loadTrainingState, saveTrainingState } from './training-state.js';

let folder: string;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  folder = await mkdtemp(join(tmpdir(), 'memgen-pretraining-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** Counting upwards by one: the next token is always the last plus one. */
function counting(step: number): PlainSequence[] {
  const random = Random.fromSeed(7).fork(`step ${step}`);
  return Array.from({ length: 4 }, () => {
    const start = random.int(16);
    const ids = Array.from({ length: 5 + random.int(4) }, (_, t) => (start + t) % 16);
    return { ids, labels: ids.map((id, t) => (t === 0 ? -100 : id)) };
  });
}

const options: PretrainingOptions = {
  steps: 30,
  batch: counting,
  schedule: { kind: 'linear', warmup: 3 },
  muon: { learningRate: 0.02 },
  adamW: { learningRate: 0.02 },
};

function newDecoder(): Decoder {
  return trainableDecoder(tinyConfig({ vocab_size: 16, num_hidden_layers: 1, tie_word_embeddings: true }));
}

function valuesOf(decoder: Decoder): Map<string, Float32Array> {
  return new Map(
    [...decoderParameters(decoder.weights)].map(([name, v]) => [name, v.dataSync().slice() as Float32Array]),
  );
}

describe('pretrain', () => {
  it('learns to count, training every weight', async () => {
    const decoder = newDecoder();
    const initial = valuesOf(decoder);
    const losses: number[] = [];
    const outcome = await pretrain(decoder, { ...options, onStep: ({ loss }) => void losses.push(loss) });
    expect(outcome).toEqual({ step: 30, complete: true });
    expect(losses[0]).toBeGreaterThan(2);
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
    for (const [name, values] of valuesOf(decoder)) expect(values, name).not.toEqual(initial.get(name));
    decoder.dispose();
  });

  it('ends with the same weights to the bit when it is interrupted, saved and resumed', async () => {
    const whole = newDecoder();
    await pretrain(whole, { ...options, steps: 8 });
    const expected = valuesOf(whole);
    whole.dispose();

    const first = newDecoder();
    const controller = new AbortController();
    const outcome = await pretrain(first, {
      ...options,
      steps: 8,
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step === 5) controller.abort();
      },
      checkpoint: {
        due: (step) => step === 2,
        save: (step, optimizer, parameters) => saveTrainingState(folder, step, optimizer, parameters),
      },
    });
    first.dispose();
    expect(outcome).toEqual({ step: 5, complete: false });

    const second = newDecoder();
    const resume = await loadTrainingState(folder);
    expect(resume.step).toBe(5);
    await pretrain(second, { ...options, steps: 8, resume });
    expect(valuesOf(second)).toEqual(expected);
    second.dispose();
  });

  it('refuses the state of another decoder, leaving nothing behind', async () => {
    const decoder = newDecoder();
    const resume = { step: 1, optimizerState: new Map(), values: new Map() };
    await expect(pretrain(decoder, { ...options, resume })).rejects.toMatchObject({ code: 'training-state' });
    const values = new Map([...valuesOf(decoder)].map(([name, data]) => [name, { shape: [...decoderParameters(decoder.weights).get(name)!.shape], data }])); // prettier-ignore
    const optimizerState = new Map([
      ['finalNorm|mean', { shape: [16], data: new Float32Array(16) }],
      ['stranger|mean', { shape: [16], data: new Float32Array(16) }],
    ]);
    await expect(pretrain(decoder, { ...options, resume: { step: 1, optimizerState, values } })).rejects.toMatchObject({
      code: 'optimizer-state',
      where: 'stranger|mean',
    });
    decoder.dispose();
  });
});
