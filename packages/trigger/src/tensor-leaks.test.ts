// Every public call leaves no tensor behind but what it returns: when it succeeds, fails, is aborted, or cannot read a tensor.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import { generate, startBackend, streamGenerate, Tape, type Decoder, type Weaver } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { expectNothingLeft, expectNothingLeftByFailedReads } from '../../core/src/tensor-leaks.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { triggerConformance } from './conformance/index.js';
import { LanguageModelTrigger } from './index.js';

const lora = { r: 2, alpha: 4, targetModules: ['q_proj'] };
const ids = [randomIds(3, 1), randomIds(3, 2)];
const mask = [[1, 1, 1], [0, 1, 1]]; // prettier-ignore
let base: Decoder;
let other: Decoder;
let weaver: Weaver;
let trigger: LanguageModelTrigger;
let folder: string;
let saved: string;
let official: string;

const newTrigger = (of: Decoder) => LanguageModelTrigger.initialize(of, { lora }, Random.fromSeed(1));

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig());
  other = await frozenDecoder(tinyConfig({ hidden_size: 32, num_hidden_layers: 1 }));
  weaver = tinyWeaver(base);
  trigger = newTrigger(base);
  folder = await mkdtemp(join(tmpdir(), 'memgen-trigger-leaks-'));
  [saved, official] = [join(folder, 'saved'), join(folder, 'official')];
  await mkdir(saved);
  await trigger.save(saved);
  await cp(saved, join(official, 'trigger', 'trigger'), { recursive: true });
  await cp(join(saved, 'trigger.safetensors'), join(official, 'trigger.safetensors'));
  // The step decoder of a reasoner is made once, at its first generation, and lives as long as it.
  await generateWith();
});
afterAll(async () => {
  trigger.dispose();
  weaver.dispose();
  base.dispose();
  other.dispose();
  await rm(folder, { recursive: true });
});

/** The trigger is asked at each token. */
const model = () => ({ decoder: base, tokenizer: smallTokenizer({ config: { pad_token: '!' } }) });
const options = () => ({ weaver, trigger, delimiterRule: 'token' as const, maxNewTokens: 6, endIds: [] });
const generateWith = (signal?: AbortSignal) =>
  generate(model(), ids, { ...options(), ...(signal !== undefined && { signal }) });

describe('a trigger', () => {
  it('that is new', () => expectNothingLeft(() => newTrigger(base)));

  it('that cannot be made', () =>
    expectNothingLeft(() => {
      const wrong = { lora: { ...lora, targetModules: ['nothing'] } };
      expect(() => LanguageModelTrigger.initialize(base, wrong, Random.fromSeed(1))).toThrow();
    }));

  it('that is saved and loaded', () =>
    expectNothingLeft(async () => {
      const copy = join(folder, 'copy');
      await rm(copy, { recursive: true, force: true });
      await mkdir(copy);
      await trigger.save(copy);
      expect(trigger.parameters().size).toBeGreaterThan(2);
      return LanguageModelTrigger.load(copy, base);
    }));

  it('that is loaded from the layout of the official code', () =>
    expectNothingLeft(() => LanguageModelTrigger.loadOfficial(official, base)));

  it('that cannot be saved, found, or put over another model', () =>
    expectNothingLeft(async () => {
      // A file where a folder is wanted.
      await expect(trigger.save(join(saved, 'trigger.safetensors'))).rejects.toThrow();
      const missing = join(folder, 'missing');
      await expect(LanguageModelTrigger.load(missing, base)).rejects.toThrow();
      await expect(LanguageModelTrigger.loadOfficial(missing, base)).rejects.toThrow();
      await expect(LanguageModelTrigger.load(saved, other)).rejects.toThrow();
      await expect(LanguageModelTrigger.loadOfficial(official, other)).rejects.toThrow();
    }));
});

describe('a session', () => {
  it('judges, goes on with some rows and judges again', () =>
    expectNothingLeft(() => {
      const session = trigger.begin({ batch: 2 });
      tf.dispose(tf.tidy(() => session.judge(ids, mask)));
      session.select([1, 1, 0]);
      tf.dispose(tf.tidy(() => session.judge([[1], [2], [3]], [[1], [1], [1]])));
      return session;
    }));

  it('refuses columns, tokens and rows that do not fit', () =>
    expectNothingLeft(() => {
      const refusals = [
        { ids: [[1, 2]], mask: [[1, 1]] },
        { ids: [[1], [2]], mask },
        { ids: ids.map((row) => row.map(() => 999)), mask },
      ];
      for (const refusal of refusals) {
        const session = trigger.begin({ batch: 2 });
        tf.tidy(() => {
          expect(() => session.judge(refusal.ids, refusal.mask)).toThrow();
        });
        expect(() => {
          session.select([2]);
        }).toThrow();
        session.dispose();
      }
    }));

  it.each([true, false])('on a tape, with its gradients (checkpointing %s)', (checkpointing) =>
    expectNothingLeft(() => {
      const tape = new Tape({ checkpointing });
      const session = trigger.begin({ batch: 2, execution: tape, ownership: 'parts', dropoutSeed: 1 });
      const logits = session.judge(ids, mask);
      session.dispose();
      const [gradient] = tape.constants(() => [tf.onesLike(logits)]);
      const gradients = tape.backward([{ output: logits, gradient: gradient! }]);
      tape.dispose();
      return [...gradients.values()];
    }),
  );
});

describe('text with a trigger', () => {
  it('is generated, and aborted before and between tokens', () =>
    expectNothingLeft(async () => {
      await generateWith();
      await generateWith(AbortSignal.abort());
      for await (const { row } of streamGenerate(model(), ids, options())) if (row === 1) break;
    }));
});

it('a tensor that cannot be read ends saving and generation', async () => {
  expect(await expectNothingLeftByFailedReads(() => trigger.save(saved))).toBe(6);
  expect(await expectNothingLeftByFailedReads(() => generateWith())).toBeGreaterThan(0);
});

it('the conformance suite', async () => {
  const checks = triggerConformance({
    create: () => newTrigger(base),
    load: (path) => LanguageModelTrigger.load(path, base),
    vocabularySize: base.config.vocabularySize,
  });
  const before = tf.memory().numTensors;
  for (const { run } of checks.filter(({ name }) => !/finite differences/.test(name))) await run();
  expect(tf.memory().numTensors).toBe(before);
}, 60_000);
