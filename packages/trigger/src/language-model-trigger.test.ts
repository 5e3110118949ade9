// The trigger: what it starts as, cached reading, gradients, files, and its part in generation.
import { Random } from '@memgen/common';
import {
  generate,
  loadReasoner,
  openSafetensors,
  startBackend,
  Tape,
  writeSafetensors,
  type Decoder,
} from '@memgen/core';
import { modelFolder } from '@memgen/tiny-reasoner';
import { LatentWeaver } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { LanguageModelTrigger } from './language-model-trigger.js';

const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
let base: Decoder;
let folder: string;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig());
  folder = await mkdtemp(join(tmpdir(), 'memgen-trigger-'));
});
afterAll(async () => {
  base.dispose();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** A trigger whose adapter is not zero. */
function busyTrigger(of = base): LanguageModelTrigger {
  const trigger = LanguageModelTrigger.initialize(of, { lora }, Random.fromSeed(3));
  for (const { b } of trigger.adapter.modules.values()) {
    tf.tidy(() => {
      b.assign(tf.randomNormal(b.shape, 0, 0.3, 'float32', 5));
    });
  }
  return trigger;
}

const ones = (ids: readonly (readonly number[])[]) => ids.map((row) => row.map(() => 1));

function judgeAtOnce(trigger: LanguageModelTrigger, ids: number[][]): Float32Array {
  const session = trigger.begin({ batch: ids.length });
  const logits = tf.tidy(() => session.judge(ids, ones(ids)).dataSync().slice() as Float32Array);
  session.dispose();
  return logits;
}

describe('a new trigger', () => {
  it('has a head of +-1/sqrt(hidden), an adapter that changes nothing, and named parameters', () => {
    const trigger = LanguageModelTrigger.initialize(base, { lora }, Random.fromSeed(1));
    expect([...trigger.parameters().keys()].slice(0, 3)).toEqual([
      'output_layer.weight',
      'output_layer.bias',
      'layers.0.self_attn.q_proj.lora_A',
    ]);
    const weight = trigger.output.weight.dataSync();
    expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(0.25);
    expect(new Set(weight).size).toBe(32);
    expect(
      trigger.adapter.modules
        .get('layers.0.self_attn.q_proj')!
        .b.dataSync()
        .every((x) => x === 0),
    ).toBe(true);
    trigger.dispose();
  });
});

describe('a session', () => {
  it('reads in pieces, padded or not, what it reads at once; selected rows go on', () => {
    const trigger = busyTrigger();
    const ids = [randomIds(9, 1), randomIds(9, 2)];
    const whole = judgeAtOnce(trigger, ids);
    const session = trigger.begin({ batch: 2 });
    const judge = (rows: number[][], mask: number[][]) =>
      tf.tidy(() => session.judge(rows, mask).dataSync().slice() as Float32Array);
    const expectJudgement = (got: Float32Array, place: number, row: number, token: number) => {
      const want = whole.subarray(2 * (9 * row + token));
      expect(got[2 * place]!).toBeCloseTo(want[0]!, 4);
      expect(got[2 * place + 1]!).toBeCloseTo(want[1]!, 4);
    };
    const first = ids.map((row) => row.slice(0, 4));
    expectJudgement(judge(first, ones(first)), 7, 1, 3);
    // The first row reads three tokens, the second two behind padding.
    const padded = [ids[0]!.slice(4, 7), [0, ...ids[1]!.slice(4, 6)]];
    const second = judge(padded, [
      [1, 1, 1],
      [0, 1, 1],
    ]);
    expectJudgement(second, 2, 0, 6);
    expectJudgement(second, 5, 1, 5);
    session.select([1]);
    expectJudgement(judge([ids[1]!.slice(6)], [[1, 1, 1]]), 2, 1, 8);
    session.dispose();
    trigger.dispose();
  });

  it('passes gradients to the head and every adapter, equal to finite differences', () => {
    const trigger = busyTrigger();
    const ids = [randomIds(5, 4)];
    const tape = new Tape({ checkpointing: false });
    const session = trigger.begin({ batch: 1, execution: tape, ownership: 'parts' });
    const logits = session.judge(ids, ones(ids));
    const direction = tf.tensor2d([0, 0, 0, 0, 0, 0, 0, 0, -1, 1], [5, 2]);
    const gradients = tape.backward([{ output: logits, gradient: direction }]);
    expect(gradients.size).toBe(trigger.parameters().size);
    const difference = () => {
      const values = judgeAtOnce(trigger, ids);
      return values[9]! - values[8]!;
    };
    for (const [name, variable] of trigger.parameters()) {
      const values = variable.dataSync().slice();
      const gradient = gradients.get(variable)!.dataSync();
      const at = gradient.findIndex((value) => Math.abs(value) === Math.max(...gradient.map(Math.abs)));
      const measure = (step: number) => {
        const moved = values.slice();
        moved[at]! += step;
        tf.tidy(() => {
          variable.assign(tf.tensor(moved, variable.shape));
        });
        return difference();
      };
      const slope = (measure(1e-2) - measure(-1e-2)) / 2e-2;
      measure(0);
      expect(Math.abs(slope - gradient[at]!) / Math.max(Math.abs(slope), 1e-2), name).toBeLessThan(0.05);
    }
    tf.dispose([direction, ...gradients.values()]);
    session.dispose();
    tape.dispose();
    trigger.dispose();
  });

  it('refuses ids and masks of different shapes', () => {
    const trigger = busyTrigger();
    const session = trigger.begin({ batch: 1 });
    expect(() => session.judge([[1, 2]], [[1]])).toThrow(expect.objectContaining({ code: 'session-columns' }));
    session.dispose();
    trigger.dispose();
  });
});

describe('on disk', () => {
  it('a trigger comes back bit by bit', async () => {
    const trigger = busyTrigger();
    await trigger.save(folder);
    expect((await readdir(folder)).sort()).toEqual([
      'adapter_config.json',
      'adapter_model.safetensors',
      'trigger.safetensors',
    ]);
    const loaded = await LanguageModelTrigger.load(folder, base);
    for (const [name, variable] of loaded.parameters()) {
      expect(variable.arraySync(), name).toEqual(trigger.parameters().get(name)!.arraySync());
    }
    loaded.dispose();
    trigger.dispose();
  });

  it('a head of another size or with other tensors is refused', async () => {
    const trigger = busyTrigger();
    await trigger.save(folder);
    trigger.dispose();
    const path = join(folder, 'trigger.safetensors');
    const file = await openSafetensors(path);
    const bias = await file.readFloat32('output_layer.bias');
    await file.close();
    await writeSafetensors(path, [{ name: 'output_layer.bias', shape: [2], data: bias }]);
    await expect(LanguageModelTrigger.load(folder, base)).rejects.toMatchObject({
      code: 'trigger-tensors',
      got: 'output_layer.bias [2]',
      expected: 'output_layer.bias [2], output_layer.weight [2, 16]',
    });
  });
});

describe('in generation', () => {
  it('decides at each point; what it refuses is recorded, costs no point and leaves the reasoner alone', async () => {
    const reasoner = await loadReasoner(modelFolder());
    const { decoder } = reasoner;
    const weaver = LatentWeaver.initialize(
      decoder,
      decoder.config.hiddenSize,
      { promptLatents: 2, inferenceLatents: 2, lora },
      Random.fromSeed(1),
    );
    const trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(2));
    const prompts = ['How much is a bowl?', 'Ada leaves on Monday. Which day is 3 days later?'].map((question) =>
      reasoner.tokenizer.encode(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`),
    );
    const run = (bias: [number, number], options: object = {}) => {
      tf.tidy(() => {
        trigger.output.bias.assign(tf.tensor1d(bias));
      });
      return generate(reasoner, prompts, { maxNewTokens: 16, weaver, trigger, maxInferencePoints: 1, ...options });
    };
    const never = await run([50, -50]);
    const vanilla = await generate(reasoner, prompts, { maxNewTokens: 16 });
    expect(never.map(({ ids }) => ids)).toEqual(vanilla.map(({ ids }) => ids));
    for (const { augmentations } of never) {
      expect(new Set(augmentations)).toEqual(new Set([0, -100]));
      expect(augmentations[0]).toBe(0);
      // A refusal uses up nothing: more than one point of the text was asked about.
      expect(augmentations.filter((place) => place === 0).length).toBeGreaterThan(1);
    }
    const always = await run([-50, 50]);
    const inactive = await generate(reasoner, prompts, { maxNewTokens: 16, weaver, maxInferencePoints: 1 });
    expect(always).toEqual(inactive);

    // Drawn decisions vary with the seed and repeat with it.
    const drawn = (seed: number) =>
      run([0, 0], { triggerTemperature: 50, random: Random.fromSeed(seed), maxInferencePoints: 5 });
    const places = await Promise.all([1, 2, 3, 4].map(async (seed) => JSON.stringify(await drawn(seed))));
    expect(new Set(places).size).toBeGreaterThan(1);
    expect(JSON.stringify(await drawn(1))).toBe(places[0]);
    await expect(run([0, 0], { triggerTemperature: -1 })).rejects.toMatchObject({ code: 'sampling' });
    trigger.dispose();
    weaver.dispose();
    decoder.dispose();
  });
});
