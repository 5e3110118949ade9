// Streaming: what comes token by token, stop strings, log-probabilities, and ways to end early.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/language-model-trigger.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { randomIds } from '../model/tiny-decoder.test-helper.js';
import { generate, streamGenerate } from './generate.js';
import type { GeneratedToken } from './generated-row.js';
import { stepDecoderOf } from '../inference/step-decoders.js';
import { tinyLora, useTinyModels } from './tiny-models.test-helper.js';

const models = useTinyModels((decoder) => ({
  weaver: tinyWeaver(decoder),
  trigger: LanguageModelTrigger.initialize(decoder, { lora: tinyLora }, Random.fromSeed(2)),
}));
const prompts = [randomIds(7, 1), randomIds(3, 2), randomIds(5, 3)];
const sampling = { temperature: 6 };
const modes = ['step', 'backend'] as const;

describe('streamGenerate', () => {
  it('gives the tokens of generate as they come, and the rows at the end', async () => {
    const options = {
      maxNewTokens: 30,
      sampling,
      endIds: [3, 4],
      weaver: models.weaver,
      logProbabilities: true,
      topLogProbabilities: 3,
    };
    const rows = await generate(models, prompts, options);
    const tokens: GeneratedToken[] = [];
    for await (const token of streamGenerate(models, prompts, options)) tokens.push(token);
    rows.forEach((row, index) => {
      const own = tokens.filter((token) => token.row === index);
      expect(own.map(({ id }) => id)).toEqual(row.ids);
      expect(own.map(({ text }) => text).join('')).toBe(row.text);
      expect(own.map(({ augmentation }) => augmentation)).toEqual(row.augmentations);
      expect(own.map(({ logProbability }) => logProbability)).toEqual(row.logProbabilities);
      expect(own.map(({ topLogProbabilities }) => topLogProbabilities)).toEqual(row.topLogProbabilities);
      expect(own.map(({ finished }) => finished)).toEqual([...row.ids.slice(1).map(() => undefined), row.finished]);
    });
    // Rows take turns.
    expect(tokens.slice(0, 6).map(({ row }) => row)).toEqual([0, 1, 2, 0, 1, 2]);
    const stream = streamGenerate(models, prompts, options);
    let next = await stream.next();
    while (next.done !== true) next = await stream.next();
    expect(next.value).toEqual(rows);
  });

  it.each(modes)('frees all it holds when the loop is left, decoded by %s', async (decoding) => {
    const { weaver, trigger, adapter } = models;
    const options = { maxNewTokens: 20, decoding, weaver, trigger, adapter, endIds: [], samplesPerPrompt: 2 };
    // The step decoder stays with the reasoner, with room for what it has once computed.
    await generate(models, prompts, options);
    const stepDecoder = await stepDecoderOf(models.decoder, decoding, 1);
    const [tensors, bytes] = [tf.memory().numTensors, stepDecoder?.memoryBytes];
    for (const most of [1, 2, 7]) {
      let count = 0;
      for await (const token of streamGenerate(models, prompts, options)) {
        expect(token.finished).toBeUndefined();
        const held = decoding === 'step' ? stepDecoder!.memoryBytes - bytes! : tf.memory().numTensors - tensors;
        expect(held).toBeGreaterThan(0);
        if (++count === most) break;
      }
      expect([tf.memory().numTensors, stepDecoder?.memoryBytes]).toEqual([tensors, bytes]);
    }
  });

  it('computes no further than it is asked for, and holds nothing before', async () => {
    let steps = 0;
    const _onLogits = () => {
      steps++;
    };
    const stream = streamGenerate(models, prompts, { maxNewTokens: 50, endIds: [], _onLogits });
    for (let i = 0; i < prompts.length; i++) await stream.next();
    expect(steps).toBe(1);
    await stream.next();
    expect(steps).toBe(2);
    await stream.return([]);
    streamGenerate(models, prompts, { maxNewTokens: 50, _onLogits });
    expect(steps).toBe(2);
  });

  it('ends when it is aborted, with what was generated in its result', async () => {
    const controller = new AbortController();
    const stream = streamGenerate(models, [prompts[0]!], { maxNewTokens: 50, endIds: [], signal: controller.signal });
    const first = await stream.next();
    controller.abort();
    const end = await stream.next();
    expect(first.value).toMatchObject({ row: 0 });
    expect(end).toMatchObject({ done: true, value: [{ ids: [(first.value as GeneratedToken).id], finished: 'aborted' }] });
  }); // prettier-ignore

  it('throws what is wrong with the first token', async () => {
    const stream = streamGenerate(models, [[]], { maxNewTokens: 5 });
    await expect(stream.next()).rejects.toMatchObject({ code: 'generate-prompt' });
  });
});

describe('stop strings', () => {
  it('end a row in the token in which they become complete; the text is cut, the ids are not', async () => {
    const options = { maxNewTokens: 40, sampling, endIds: [], skipSpecialTokens: false };
    const free = await generate(models, prompts, options);
    const text = free[0]!.text;
    expect(text).toHaveLength(40);
    const stop = text.slice(10, 13);
    const at = text.indexOf(stop);
    const stopped = await generate(models, prompts, { ...options, stopStrings: ['nowhere', stop] });
    expect(stopped[0]).toMatchObject({ ids: free[0]!.ids.slice(0, at + 3), text: text.slice(0, at), finished: 'stop' });
    for (const row of [1, 2]) if (!free[row]!.text.includes(stop)) expect(stopped[row]).toEqual(free[row]);
    const [kept] = await generate(models, prompts, { ...options, stopStrings: [stop], keepStopString: true });
    expect(kept!.text).toBe(text.slice(0, at + 3));
  });

  it('that are only begun at the end stay in the text', async () => {
    const options = { maxNewTokens: 8, sampling, endIds: [], skipSpecialTokens: false };
    const [free] = await generate(models, [prompts[0]!], options);
    const [row] = await generate(models, [prompts[0]!], { ...options, stopStrings: [`${free!.text.slice(5)}###`] });
    expect(row).toEqual(free);
    const tokens: GeneratedToken[] = [];
    const stream = streamGenerate(models, [prompts[0]!], { ...options, stopStrings: [`${free!.text.slice(5)}###`] });
    for await (const token of stream) tokens.push(token);
    expect(tokens.at(-1)!.text).toBe(free!.text.slice(5));
  });
});

describe('log-probabilities', () => {
  it.each(modes)("are the model's own, whatever the sampling cuts, by %s", async (decoding) => {
    const steps: Float32Array[] = [];
    const [row] = await generate(models, [prompts[0]!], {
      maxNewTokens: 6,
      endIds: [],
      decoding,
      sampling: { temperature: 3, topK: 5, repetitionPenalty: 1.5 },
      logProbabilities: true,
      topLogProbabilities: 2,
      _onLogits: (_, rows, logits) => steps.push(logits.slice()),
    });
    row!.ids.forEach((id, step) => {
      const weights = Array.from(steps[step]!, (logit) => Math.exp(logit));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      expect(row!.logProbabilities![step]).toBeCloseTo(Math.log(weights[id]! / total), 5);
      const order = weights.map((_, i) => i).sort((a, b) => weights[b]! - weights[a]!);
      const top = row!.topLogProbabilities![step]!;
      expect(top.map((token) => token.id)).toEqual(order.slice(0, 2));
      expect(top[0]!.logProbability).toBeCloseTo(Math.log(weights[order[0]!]! / total), 5);
    });
  });

  it('are left out by default', async () => {
    const [row] = await generate(models, [prompts[0]!], { maxNewTokens: 2 });
    expect(Object.keys(row!)).toEqual(['ids', 'text', 'augmentations', 'finished']);
  });
});

describe('the repetition penalty', () => {
  it('counts tokens of the prompt and the completion, also in greedy choice', async () => {
    const steps: Float32Array[] = [];
    const prompt = prompts[0]!;
    const [row] = await generate(models, [prompt], {
      maxNewTokens: 12,
      endIds: [],
      sampling: { repetitionPenalty: 4 },
      _onLogits: (_, rows, logits) => steps.push(logits.slice()),
    });
    row!.ids.forEach((id, step) => {
      const seen = new Set([...prompt, ...row!.ids.slice(0, step)]);
      const scores = Array.from(steps[step]!, (x, token) => (!seen.has(token) ? x : x < 0 ? x * 4 : x / 4));
      expect(id).toBe(scores.indexOf(Math.max(...scores)));
    });
    expect(new Set(row!.ids).size).toBeGreaterThan(6);
  });
});
