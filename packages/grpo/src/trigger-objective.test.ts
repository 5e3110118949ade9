// The trigger's objective: probabilities of decisions, gradients by finite differences, the penalty, what is hidden.
import { Random } from '@memgen/common';
import { disposeGradients, startBackend, type Decoder } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { decidedText, type DecidedText } from './trigger-decisions.js';
import {
  triggerLogProbabilities,
  triggerObjective,
  type TriggerObjectiveOptions,
  type TriggerPolicyRow,
} from './trigger-objective.js';

const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
let base: Decoder;
let trigger: LanguageModelTrigger;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig());
  trigger = LanguageModelTrigger.initialize(base, { lora }, Random.fromSeed(3));
  for (const { b } of trigger.adapter.modules.values()) {
    tf.tidy(() => {
      b.assign(tf.randomNormal(b.shape, 0, 0.3, 'float32', 5));
    });
  }
});
afterAll(() => {
  trigger.dispose();
  base.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** A text of random tokens with decisions before the given tokens; negative ones refuse. */
function text(length: number, decisions: readonly number[], seed: number): DecidedText {
  return {
    ids: randomIds(length, seed).map((id) => Math.max(1, id)),
    decisions: decisions.map((at) => ({ index: Math.abs(at), weave: at > 0 })),
  };
}

const texts = [text(9, [4, -6], 1), text(12, [-3, 5, 11], 2), text(6, [-6], 3), text(8, [2], 4)];
const policy = { padId: 0, temperature: 0.7 };

async function policyRows(): Promise<TriggerPolicyRow[]> {
  const { logProbabilities } = await triggerLogProbabilities(texts, { trigger, ...policy });
  return texts.map((text, b) => ({
    text,
    advantage: [1, -0.5, 0.8, -1][b]!,
    old: logProbabilities[b]!.map((value, j) => value + [0.03, -0.5, 0.4][(b + j) % 3]!),
    reference: logProbabilities[b]!.map((value, j) => value + [0.2, -0.3][(b + j) % 2]!),
  }));
}

describe('triggerLogProbabilities', () => {
  it('are those of the softmax of what the trigger says at the token before the point', async () => {
    const { logProbabilities, weaving } = await triggerLogProbabilities(texts, { trigger, ...policy });
    texts.forEach(({ ids, decisions }, b) => {
      decisions.forEach(({ index, weave }, j) => {
        const session = trigger.begin({ batch: 1 });
        const read = ids.slice(0, index);
        const [no, yes] = tf.tidy(() => [
          ...(session
            .judge([read], [read.map(() => 1)])
            .dataSync()
            .slice(-2) as Float32Array),
        ]) as [number, number];
        session.dispose();
        const probability = 1 / (1 + Math.exp((no - yes) / 0.7));
        expect(weaving[b]![j]).toBeCloseTo(probability, 5);
        expect(logProbabilities[b]![j]).toBeCloseTo(Math.log(weave ? probability : 1 - probability), 4);
      });
    });
  });

  it('hide the pad token where it stands in the text', async () => {
    const withPad = { ids: [5, 0, 7, 8], decisions: [{ index: 4, weave: true }] };
    const without = { ids: [5, 7, 8], decisions: [{ index: 3, weave: true }] };
    const of = async (text: DecidedText, padId: number | undefined) =>
      (await triggerLogProbabilities([text], { trigger, padId })).logProbabilities[0]![0]!;
    const expected = await of(without, 0);
    expect(await of(withPad, 0)).toBeCloseTo(expected, 5);
    expect(Math.abs((await of(withPad, undefined)) - expected)).toBeGreaterThan(1e-4);
  });
});

describe('triggerObjective', () => {
  const penalty = { lambda: 0.6, rewards: [1, 0, 0.2, 0.7], groupSize: 2 };
  const cases: [string, Partial<TriggerObjectiveOptions>][] = [
    ['alone', { lossType: 'grpo', beta: 0.2 }],
    ['of sequences', { importanceSampling: 'sequence' }],
    ['with the penalty', { penalty, gradientCheckpointing: false }],
  ];

  it.each(cases)('%s has the slope of the loss, by finite differences along each gradient', async (_, options) => {
    const rows = await policyRows();
    const settings = { trigger, ...policy, ...options };
    const { gradients, weaving } = await triggerObjective(rows, settings);
    expect(new Set(gradients.keys())).toEqual(new Set(trigger.parameters().values()));
    // The standard of the penalty is held fixed in the gradient, so the loss is put together with it fixed here.
    const standard = (weaving[0]![0]! + weaving[0]![1]! + weaving[3]![0]!) / 3;
    const lossNow = async () => {
      const result = await triggerObjective(rows, settings);
      disposeGradients(result.gradients);
      if (options.penalty === undefined) return result.loss;
      const above = result.weaving.flatMap((row) => Array.from(row, (p) => Math.max(0, p - standard)));
      return result.loss - result.metrics.penalty! + (0.6 * above.reduce((sum, value) => sum + value, 0)) / 4;
    };
    for (const [name, variable] of trigger.parameters()) {
      const [gradient, kept] = [gradients.get(variable)!, variable.clone()];
      const norm = tf.tidy(() => tf.norm(gradient).dataSync()[0]!);
      const lossAt = (step: number) => {
        tf.tidy(() => {
          variable.assign(tf.add(kept, tf.mul(gradient, step / norm)));
        });
        return lossNow();
      };
      const step = 3e-3;
      const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      variable.assign(kept);
      kept.dispose();
      expect(Math.abs(slope - norm), name).toBeLessThan(0.03 * norm + 2e-4);
    }
    disposeGradients(gradients);
  });

  it('says how often latents were woven in, and what the penalty costs', async () => {
    const rows = await policyRows();
    const plain = await triggerObjective(rows, { trigger, ...policy });
    const charged = await triggerObjective(rows, { trigger, ...policy, penalty });
    expect(plain.metrics).toMatchObject({ actions: 7, weave_rate: 4 / 7 });
    expect(plain.metrics).not.toHaveProperty('penalty');
    expect(charged.metrics.penalty).toBeGreaterThan(0);
    expect(charged.loss).toBeCloseTo(plain.loss + charged.metrics.penalty!, 10);
    const probabilities = plain.weaving.flatMap((row) => [...row]);
    expect(plain.metrics.weave_probability).toBeCloseTo(probabilities.reduce((sum, p) => sum + p, 0) / 7, 10);
    disposeGradients(plain.gradients);
    disposeGradients(charged.gradients);
  });

  it('reads nothing behind the last decision', async () => {
    const cut = texts.map(({ ids, decisions }) => ({ ids: ids.slice(0, decisions.at(-1)!.index), decisions }));
    const [whole, short] = [texts, cut].map((rows) => triggerLogProbabilities(rows, { trigger, ...policy }));
    expect(await whole).toEqual(await short);
  });

  it('refuses decisions outside of the text, and a batch without any', async () => {
    const wrong = (decisions: number[]) =>
      triggerObjective([{ text: text(4, decisions, 1), advantage: 1 }], { trigger, ...policy });
    await expect(wrong([5])).rejects.toMatchObject({ code: 'trigger-decisions', where: 'row 0' });
    await expect(wrong([])).rejects.toThrow(/no decision/);
  });
});

describe('decidedText', () => {
  it('takes what generation records', () => {
    const row = { ids: [7, 8, 9], augmentations: [1, -100, 0] as (1 | 0 | -100)[] };
    expect(decidedText([4, 5], row)).toEqual({
      ids: [4, 5, 7, 8, 9],
      decisions: [{ index: 2, weave: true }, { index: 4, weave: false }],
    }); // prettier-ignore
  });
});
