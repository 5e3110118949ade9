// Traces: what they record of each point, in rows and streams, and that they change nothing.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/index.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { randomIds } from '../model/tiny-decoder.test-helper.js';
import { delimiterPlaces } from '../text/delimiter-places.js';
import type { GenerateOptions } from './generate-options.js';
import { generate, streamGenerate } from './generate.js';
import { nearTokens } from './near-tokens.js';
import { tinyLora, useTinyModels } from './tiny-models.test-helper.js';

const models = useTinyModels((decoder) => ({
  weaver: tinyWeaver(decoder),
  trigger: LanguageModelTrigger.initialize(decoder, { lora: tinyLora }, Random.fromSeed(2)),
}));
const prompts = [randomIds(7, 1), randomIds(3, 2)];
const sampling = { temperature: 6 };

/** A clock that is one millisecond later at each look. */
function steadyClock(): () => number {
  let time = 1000;
  return () => time++;
}

function options(more: Partial<GenerateOptions> = {}): GenerateOptions {
  const { weaver, trigger } = models;
  return { maxNewTokens: 24, endIds: [], sampling, weaver, trigger, triggerTemperature: 5, ...more };
}

describe('a trace', () => {
  it('changes nothing, and is not there unless it is asked for', async () => {
    const plain = await generate(models, prompts, options());
    const traced = await generate(models, prompts, options({ trace: true, clock: steadyClock() }));
    expect(traced.map((row) => ({ ...row, trace: undefined }))).toEqual(plain);
    expect(plain.some((row) => 'trace' in row)).toBe(false);
  });

  it('has each point with its place, the text before it, what the trigger found and what was decided', async () => {
    const rows = await generate(models, prompts, options({ trace: true }));
    rows.forEach(({ ids, augmentations, trace }, index) => {
      const { points } = trace!;
      const places = augmentations.flatMap((augmentation, i) => (augmentation === -100 ? [] : [i]));
      expect(points.map(({ position }) => position)).toEqual(places);
      for (const { row, position, kind, text, woven, latents, weaveProbability, milliseconds } of points) {
        expect(row).toBe(index);
        expect(kind).toBe(position === 0 ? 'prompt' : 'inference');
        expect(text).toBe(models.tokenizer.decode([...prompts[index]!, ...ids.slice(0, position)]));
        expect(woven).toBe(augmentations[position] === 1);
        expect(latents).toHaveLength(woven ? models.weaver.latentCounts[kind] : 0);
        expect(weaveProbability).toBeGreaterThan(0);
        expect(weaveProbability).toBeLessThan(1);
        expect(milliseconds).toBeUndefined();
      }
    });
    const decisions = rows.flatMap(({ trace }) => trace!.points.map(({ woven }) => woven));
    expect(new Set(decisions)).toEqual(new Set([true, false]));
  });

  it('has no probability without a trigger and no points without a weaver', async () => {
    const [untriggered] = await generate(models, prompts, options({ trace: true, trigger: undefined }));
    expect(untriggered!.trace!.points.length).toBeGreaterThan(1);
    expect(untriggered!.trace!.points.some((point) => 'weaveProbability' in point)).toBe(false);
    const [vanilla] = await generate(models, prompts, options({ trace: true, weaver: undefined }));
    expect(vanilla!.trace).toEqual({ points: [] });
  });

  it('shows the latents that were woven in', async () => {
    const { decoder, weaver } = models;
    const [row] = await generate(models, prompts, options({ trace: true, trigger: undefined, maxInferencePoints: 0 }));
    const latents = tf.tidy(() => {
      const session = weaver.begin({ batch: 1 });
      const vectors = session.weave('prompt', decoder.embed(prompts[0]!), [prompts[0]!.map(() => 1)]);
      session.dispose();
      return vectors.arraySync();
    });
    const norms = row!.trace!.points[0]!.latents.map(({ norm }) => norm);
    latents.forEach((latent, i) => {
      expect(norms[i]).toBeCloseTo(Math.hypot(...latent), 4);
    });
  });

  it('comes with the tokens of a stream, point by point', async () => {
    const stream = streamGenerate(models, prompts, options({ trace: true }));
    const points: unknown[][] = prompts.map(() => []);
    let next = await stream.next();
    for (; next.done !== true; next = await stream.next()) {
      const { row, point, augmentation } = next.value;
      expect(point === undefined).toBe(augmentation === -100);
      if (point !== undefined) points[row]!.push(point);
    }
    expect(points).toEqual(next.value.map(({ trace }) => trace!.points));
  });

  it('gives rows of a prompt that share what was read the same latents', async () => {
    const settings = options({ trace: true, trigger: undefined, samplesPerPrompt: 2 });
    const [first, second, other] = await generate(models, prompts, settings);
    const latentsOf = (row: typeof first) => row!.trace!.points[0]!.latents;
    expect(latentsOf(second)).toEqual(latentsOf(first));
    expect(latentsOf(other)).not.toEqual(latentsOf(first));
    expect(second!.trace!.points[0]!.row).toBe(1);
  });

  it('measures the parts with the clock that it is given', async () => {
    const settings = options({ trace: true, clock: steadyClock(), triggerTemperature: 0 });
    const [woven] = await generate(models, prompts, { ...settings, trigger: undefined });
    const prompt = woven!.trace!.points[0]!;
    expect(prompt.milliseconds).toEqual({ trigger: 0, weaver: 1, reasoner: 1 });
    const { reasoner, weaver } = woven!.trace!.milliseconds!;
    expect(reasoner).toBe(24);
    expect(weaver).toBeGreaterThan(1);
    expect(weaver).toBeLessThan(24);
    const [asked] = await generate(models, prompts, settings);
    expect(asked!.trace!.points[0]!.milliseconds!.trigger).toBe(1);
  });
});

describe('nearTokens', () => {
  it('finds the tokens of embeddings, whatever their length, in chunks as at once', async () => {
    const { decoder } = models;
    const vectors = tf.tidy(() => tf.mul<tf.Tensor2D>(decoder.embed([5, 31, 0]), tf.tensor2d([[3], [0.01], [1]])));
    const [inChunks, atOnce] = [await nearTokens(models, vectors, { chunk: 7 }), await nearTokens(models, vectors)];
    vectors.dispose();
    expect(inChunks.map(([first]) => first!.id)).toEqual([5, 31, 0]);
    for (const tokens of inChunks) {
      expect(tokens).toHaveLength(5);
      expect(tokens[0]!.similarity).toBeCloseTo(1, 5);
      expect(tokens[0]!.text).toBe(models.tokenizer.decode([tokens[0]!.id]));
      expect(tokens.map(({ similarity }) => similarity)).toEqual(
        tokens.map(({ similarity }) => similarity).sort((a, b) => b - a),
      );
    }
    expect(inChunks.map((tokens) => tokens.map(({ id }) => id))).toEqual(
      atOnce.map((tokens) => tokens.map(({ id }) => id)),
    );
  });

  it('gives vectors of zeros no direction', async () => {
    const zeros = tf.zeros<tf.Rank.R2>([1, models.decoder.config.hiddenSize]);
    const [tokens] = await nearTokens(models, zeros, { count: 2 });
    zeros.dispose();
    expect(tokens!.map(({ similarity }) => similarity)).toEqual([0, 0]);
  });
});

describe('where points may lie', () => {
  /** Places of a row at which latents were woven in. */
  async function woven(more: Partial<GenerateOptions>): Promise<number[]> {
    const settings = options({ trace: true, trigger: undefined, maxNewTokens: 60, maxInferencePoints: 99, ...more });
    const [row] = await generate(models, prompts.slice(0, 1), settings);
    return row!.trace!.points.map(({ position }) => position);
  }

  it('is behind the prompt only, by option', async () => {
    expect((await woven({})).length).toBeGreaterThan(3);
    expect(await woven({ weaveAt: 'prompt' })).toEqual([0]);
  });

  it('keeps a distance, by option', async () => {
    const gaps = (places: number[]) => places.slice(1).map((place, i) => place - places[i]!);
    expect(Math.min(...gaps(await woven({})))).toBeLessThan(6);
    const places = await woven({ minimumPointDistance: 6 });
    expect(places.length).toBeGreaterThan(2);
    expect(Math.min(...gaps(places))).toBeGreaterThanOrEqual(6);
  });

  it.each(['reference', 'sentence', 'token'] as const)(
    'is where training would weave, under the rule %s',
    async (rule) => {
      const limits = { maxNewTokens: 60, maxInferencePoints: 99, contextLength: Infinity };
      const settings = options({ trigger: undefined, delimiterRule: rule, ...limits });
      for (const [i, { ids, augmentations }] of (await generate(models, prompts, settings)).entries()) {
        const start = prompts[i]!.length;
        const expected = delimiterPlaces(models.tokenizer, [...prompts[i]!, ...ids], { rule }).slice(start, -1);
        expected[0] = true;
        expect(augmentations.map((augmentation) => augmentation === 1)).toEqual(expected);
        expect(expected.filter(Boolean).length).toBeGreaterThan(2);
      }
    },
  );

  it('is a refusal that delays nothing', async () => {
    const { weaver, trigger } = models;
    const settings = options({ weaver, trigger, triggerTemperature: 0, minimumPointDistance: 20 });
    const bias = trigger.parameters().get('output_layer.bias')!;
    const before = bias.arraySync();
    const setBias = (values: number[]) => {
      tf.tidy(() => {
        bias.assign(tf.tensor1d(values));
      });
    };
    setBias([1e3, -1e3]);
    const [row] = await generate(models, prompts, settings);
    setBias(before as number[]);
    expect(row!.augmentations.filter((augmentation) => augmentation === 0).length).toBeGreaterThan(2);
  });
});
