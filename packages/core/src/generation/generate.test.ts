// Generation: rows of a batch alone and together, weaving, ends, caps, aborts, and the training forward as a witness.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { startBackend } from '../backend/index.js';
import { wovenForward, type AugmentationPoint, type Weaver, type WovenRow } from '../memgen/index.js';
import type { Decoder } from '../model/decoder.js';
import { frozenDecoder, randomIds, tinyConfig, trainableDecoder } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { smallTokenizer } from '../text/__fixtures__/small-tokenizer.js';
import { eager } from '../training/index.js';
import type { GenerateOptions } from './generate-options.js';
import { generate, streamGenerate } from './generate.js';
import type { GeneratedRow } from './generated-row.js';

// Ids 0 to 31 are the characters "!" to "@"; id 11 is the comma, id 13 the period.
const tokenizer = smallTokenizer();
const prompts = [randomIds(7, 1), randomIds(3, 2), randomIds(5, 3), [4], randomIds(6, 4)];
const sampling = { temperature: 6 };

let decoder: Decoder;
let weaver: Weaver;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig());
  weaver = tinyWeaver(decoder);
});
afterAll(() => {
  weaver.dispose();
  decoder.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

function run(chosen: readonly (readonly number[])[], options: Partial<GenerateOptions>): Promise<GeneratedRow[]> {
  return generate({ decoder, tokenizer }, chosen, { maxNewTokens: 24, endIds: [], ...options });
}

/** A stream whose first fork is that of another row. */
function streamOfRow(random: Random, row: number): Random {
  return Object.assign(Random.fromSeed(0), { fork: () => random.fork(`row ${row}`) });
}

/** Logits of each step by row. */
async function runWithLogits(
  chosen: readonly (readonly number[])[],
  options: Partial<GenerateOptions>,
): Promise<{ rows: GeneratedRow[]; logits: Float32Array[][]; sizes: number[] }> {
  const logits: Float32Array[][] = chosen.map(() => []);
  const sizes: number[] = [];
  const rows = await run(chosen, {
    ...options,
    _onLogits: (_, active, values) => {
      sizes.push(active.length);
      const width = values.length / active.length;
      active.forEach((row, b) => logits[row]!.push(values.slice(b * width, (b + 1) * width)));
    },
  });
  return { rows, logits, sizes };
}

const modes = ['step', 'backend'] as const;

describe.each(modes)('a batch decoded by %s', (decoding) => {
  it.each<[string, Partial<GenerateOptions> & { woven: boolean }]>([
    ['greedy', { woven: false, endIds: [0, 6, 19] }],
    ['sampled', { woven: false, sampling, endIds: [0, 1, 2] }],
    ['greedy and woven', { woven: true, endIds: [0, 6, 19] }],
    ['sampled and woven', { woven: true, sampling, endIds: [0, 1, 2] }],
  ])('gives each row what it gets alone: %s', async (_, { woven, ...rest }) => {
    const options = { ...rest, decoding, maxNewTokens: 40, ...(woven && { weaver }) };
    const random = Random.fromSeed(4);
    const together = await runWithLogits(prompts, { ...options, random });
    for (const [row, prompt] of prompts.entries()) {
      const alone = await runWithLogits([prompt], { ...options, random: streamOfRow(random, row) });
      expect(together.rows[row]).toEqual(alone.rows[0]);
      alone.logits[0]!.forEach((logits, step) => {
        expect(relativeDifference(together.logits[row]![step]!, logits), `row ${row}, ${step}`).toBeLessThan(1e-3);
      });
    }
    if (options.sampling === undefined) return;
    // Rows end at different times, and the batch has shrunk twice at least.
    expect(new Set(together.rows.map(({ ids }) => ids.length)).size).toBeGreaterThan(2);
    expect(new Set(together.sizes).size).toBeGreaterThan(2);
    expect(together.rows.some(({ finished }) => finished === 'end')).toBe(true);
    if (!woven) return;
    // Latents were woven in after the batch had shrunk to rows that are not its first ones.
    const shrunk = together.sizes.findIndex((size) => size < prompts.length);
    const late = together.rows.filter(({ augmentations }) => augmentations.indexOf(1, shrunk + 1) >= 0);
    expect(late.length).toBeGreaterThan(0);
    expect(late).not.toContain(together.rows[0]);
  });

  it('does not depend on the order of its prompts, when greedy', async () => {
    const forward = await run(prompts, { weaver });
    const backward = await run([...prompts].reverse(), { weaver });
    expect(backward.reverse()).toEqual(forward);
  });

  it('draws other tokens for equal prompts, and the same again for the same seed', async () => {
    const same = [prompts[0]!, prompts[0]!];
    const [first, second] = await run(same, { sampling, random: Random.fromSeed(3) });
    expect(first!.ids).not.toEqual(second!.ids);
    expect(await run(same, { sampling, random: Random.fromSeed(3) })).toEqual([first, second]);
    expect((await run(same, { sampling, random: Random.fromSeed(4) }))[0]!.ids).not.toEqual(first!.ids);
  });
});

describe.each(modes)('weaving, decoded by %s', (decoding) => {
  it('happens after the prompt and behind delimiters, up to the cap', async () => {
    for (const maxInferencePoints of [0, 2, 5]) {
      const rows = await run(prompts, { weaver, sampling, decoding, maxNewTokens: 40, maxInferencePoints });
      for (const { ids, augmentations } of rows) {
        let left = maxInferencePoints;
        const expected = ids.map((_, step) => {
          if (step === 0) return 1;
          if (![11, 13].includes(ids[step - 1]!) || left === 0) return -100;
          left--;
          return 1;
        });
        expect(augmentations).toEqual(expected);
      }
      const counts = rows.map(({ augmentations }) => augmentations.filter((a) => a === 1).length);
      expect(Math.max(...counts)).toBe(1 + Math.min(maxInferencePoints, 5));
    }
  });

  it('does not happen without a weaver', async () => {
    const [row] = await run([prompts[0]!], { sampling });
    expect(row!.augmentations).toEqual(row!.ids.map(() => -100));
  });

  it('predicts what the training forward predicts, with the cap reached and rows ended', async () => {
    const steps: { rows: number[]; logits: Float32Array }[] = [];
    const rows = await run(prompts, {
      weaver,
      sampling,
      decoding,
      maxInferencePoints: 2,
      maxNewTokens: 30,
      endIds: [0],
      _onLogits: (_, active, logits) => {
        steps.push({ rows: [...active], logits: Float32Array.from(logits) });
      },
    });
    const vocabulary = decoder.config.vocabularySize;
    const woven = rows.map(({ ids, augmentations }, row): WovenRow => {
      const prompt = prompts[row]!;
      return {
        ids: [...prompt, ...ids],
        labels: [...prompt.map(() => -100), ...ids],
        points: augmentations.flatMap((augmentation, step): AugmentationPoint[] =>
          augmentation === 1 ? [{ index: prompt.length + step, kind: step === 0 ? 'prompt' : 'inference' }] : [],
        ),
      };
    });
    expect(woven.some(({ points }) => points.length === 3)).toBe(true);
    tf.tidy(() => {
      const forward = wovenForward(decoder, woven, { execution: eager, weaver });
      const logits = { prompt: decoder.logits(forward.prompt).dataSync(), completion: decoder.logits(forward.completion).dataSync() }; // prettier-ignore
      rows.forEach(({ ids }, row) => {
        ids.forEach((_, step) => {
          const { part, at } = forward.locate(row, prompts[row]!.length + step - 1);
          const expected = logits[part].slice(at * vocabulary, (at + 1) * vocabulary);
          const b = steps[step]!.rows.indexOf(row);
          const got = steps[step]!.logits.slice(b * vocabulary, (b + 1) * vocabulary);
          expect(relativeDifference(got, expected), `row ${row}, step ${step}`).toBeLessThan(1e-3);
        });
      });
    });
  });
});

describe('decoding', () => {
  it('gives the same text by step and by backend, with more rows than steps are for', async () => {
    const many = Array.from({ length: 11 }, (_, i) => randomIds(2 + (i % 5), 20 + i));
    const [step, backend] = await Promise.all(
      modes.map((decoding) => run(many, { weaver, decoding, endIds: [0, 6, 19], maxNewTokens: 40 })),
    );
    expect(step).toEqual(backend);
    // Some rows end early, so that the rest goes over to steps on the way.
    expect(step!.filter(({ finished }) => finished === 'end').length).toBeGreaterThan(5);
  });

  it('refuses steps for weights in training; by itself it leaves them to the backend', async () => {
    const training = trainableDecoder(tinyConfig());
    const untrained = { decoder: training, tokenizer };
    const options = { maxNewTokens: 3, endIds: [] };
    await expect(generate(untrained, [[1, 2]], { ...options, decoding: 'step' })).rejects.toMatchObject({ code: 'decoding' }); // prettier-ignore
    const [row] = await generate(untrained, [[1, 2]], options);
    expect(row!.ids).toHaveLength(3);
    training.dispose();
  });
});

describe('the end', () => {
  it('comes with an end token, which is returned, or with the last new token allowed', async () => {
    const [free] = await run([prompts[0]!], { sampling });
    const end = free!.ids[5]!;
    const at = free!.ids.indexOf(end);
    const [ended] = await run([prompts[0]!], { sampling, endIds: [end] });
    expect(ended).toEqual({
      ids: free!.ids.slice(0, at + 1),
      text: tokenizer.decode(free!.ids.slice(0, at)),
      augmentations: free!.augmentations.slice(0, at + 1),
      finished: 'end',
    });
    expect(free).toMatchObject({ finished: 'length' });
    expect(free!.ids).toHaveLength(24);
    expect(await run([prompts[0]!], { maxNewTokens: 0 })).toEqual([
      { ids: [], text: '', augmentations: [], finished: 'length' },
    ]);
  });

  it('is at the end tokens of the tokenizer by default', async () => {
    const wide = await frozenDecoder(tinyConfig({ vocab_size: tokenizer.vocabularySize }));
    const chosen = Array.from({ length: 12 }, () => [1, 2]);
    // So hot that all 268 tokens are about equally likely.
    const options = { maxNewTokens: 100, sampling: { temperature: 100 } };
    const rows = await generate({ decoder: wide, tokenizer }, chosen, options);
    wide.dispose();
    const ended = rows.filter(({ finished }) => finished === 'end');
    expect(ended.length).toBeGreaterThan(0);
    for (const { ids } of ended) expect(ids.findIndex((id) => tokenizer.eosIds.includes(id))).toBe(ids.length - 1);
  });

  it('comes before the first token when aborted before', async () => {
    const rows = await run(prompts, { weaver, signal: AbortSignal.abort() });
    expect(rows).toEqual(prompts.map(() => ({ ids: [], text: '', augmentations: [], finished: 'aborted' })));
  });

  it('comes after the step in which it is aborted; rows that had ended keep their end', async () => {
    const [free] = await run([prompts[0]!], { sampling, weaver });
    const controller = new AbortController();
    const tokens = streamGenerate({ decoder, tokenizer }, prompts, {
      weaver,
      sampling,
      endIds: [free!.ids[1]!],
      signal: controller.signal,
      maxNewTokens: 24,
    });
    let next = await tokens.next();
    for (let count = 1; next.done !== true; count++) {
      if (count === 4 * prompts.length) controller.abort();
      next = await tokens.next();
    }
    const rows = next.value;
    expect(rows[0]!.finished).toBe('end');
    expect(rows[0]!.ids.length).toBeLessThanOrEqual(2);
    const aborted = rows.filter(({ finished }) => finished === 'aborted');
    expect(aborted.length).toBeGreaterThan(0);
    expect(new Set(aborted.map(({ ids }) => ids.length)).size).toBe(1);
  });

  it('comes when a timer or a signal of the system aborts', async () => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 1);
    const [row] = await run([prompts[0]!], { maxNewTokens: 100, signal: controller.signal });
    expect(row!.finished).toBe('aborted');
  });
});

describe('generate refuses', () => {
  it.each([[[]], [[[1], []]]])('the prompts %j', async (chosen) => {
    await expect(run(chosen, {})).rejects.toMatchObject({ code: 'generate-prompt' });
  });

  it('sampling out of range and ids outside the vocabulary, leaving nothing behind', async () => {
    await expect(run(prompts, { sampling: { topP: 2 } })).rejects.toMatchObject({ code: 'sampling' });
    await expect(run([[1, 2], [3, 32]], { weaver })).rejects.toMatchObject({ code: 'token-id' }); // prettier-ignore
  });
});
