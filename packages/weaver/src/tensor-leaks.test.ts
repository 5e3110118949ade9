// Every public call leaves no tensor behind but what it returns: when it succeeds, fails, is aborted, or cannot read a tensor.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@memgen/common';
import {
  generate,
  openSafetensors,
  readTensors,
  streamGenerate,
  Tape,
  trainingLoss,
  writeSafetensors,
  startBackend,
  type Decoder,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variedRows } from '../../core/src/memgen/woven-rows.test-helper.js';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { expectNothingLeft, expectNothingLeftByFailedReads } from '../../core/src/tensor-leaks.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { weaverConformance } from './conformance/index.js';
import { alignmentTo } from './alignment.js';
import { LatentWeaver, readWeaverTensors, weaverFromTensors, type LatentWeaverConfig } from './index.js';
import { tinyWeaver } from './tiny-weaver.test-helper.js';

const lora = { r: 2, alpha: 4, targetModules: ['q_proj'] };
const hidden = 16;
let base: Decoder;
let other: Decoder;
let weaver: LatentWeaver;
let folder: string;
let saved: string;
let official: string;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  base = await frozenDecoder(tinyConfig());
  other = await frozenDecoder(tinyConfig({ hidden_size: 32, num_hidden_layers: 1 }));
  weaver = tinyWeaver(base);
  folder = await mkdtemp(join(tmpdir(), 'memgen-weaver-leaks-'));
  [saved, official] = [join(folder, 'saved'), join(folder, 'official')];
  await mkdir(saved);
  await weaver.save(saved);
  await cp(saved, join(official, 'weaver', 'weaver'), { recursive: true });
  const tensors = [...(await readTensors(await openSafetensors(join(saved, 'weaver.safetensors'))))];
  for (const [file, isOwn] of [
    ['weaver', true],
    ['projs', false],
  ] as const) {
    const own = tensors.filter(([name]) => /_to_/.test(name) !== isOwn);
    await writeSafetensors(
      join(official, `${file}.safetensors`),
      own.map(([name, tensor]) => ({ name, ...tensor })),
    );
  }
  // The step decoder of a reasoner is made once, at its first generation, and lives as long as it.
  await generateWith();
});
afterAll(async () => {
  weaver.dispose();
  base.dispose();
  other.dispose();
  await rm(folder, { recursive: true });
});

const prompts = [randomIds(7, 1), randomIds(3, 2)];
const always = { delimiterRule: 'token', maxNewTokens: 6, endIds: [] } as const;
const generateWith = (signal?: AbortSignal) =>
  generate({ decoder: base, tokenizer: smallTokenizer() }, prompts, {
    ...always,
    weaver,
    ...(signal !== undefined && { signal }),
  });

const vectors = (columns: number) => tf.randomNormal<tf.Rank.R2>([columns, hidden], 0, 1, 'float32', 1);

describe('a weaver', () => {
  it.each<[string, Partial<LatentWeaverConfig>]>([
    ['reference', {}],
    ['small', { initialization: 'small' }],
  ])('that is new: %s', (_, config) =>
    expectNothingLeft(() => LatentWeaver.initialize(base, hidden, { lora, ...config }, Random.fromSeed(1))),
  );

  it('that is new: aligned', () =>
    expectNothingLeft(async () => {
      const alignment = await alignmentTo(base, { queryIds: [1, 2], latentId: 3 });
      expect(() =>
        LatentWeaver.initialize(base, 12, { lora, initialization: 'aligned', alignment }, Random.fromSeed(1)),
      ).toThrow();
      return LatentWeaver.initialize(base, hidden, { lora, initialization: 'aligned', alignment }, Random.fromSeed(1));
    }));

  it.each<[string, Partial<LatentWeaverConfig>, number]>([
    ['aligned to nothing', { initialization: 'aligned' }, hidden],
    ['with an adapter of matrices that are not there', { lora: { ...lora, targetModules: ['nothing'] } }, hidden],
  ])('that cannot be made: %s', (_, config, size) =>
    expectNothingLeft(() => {
      expect(() => LatentWeaver.initialize(base, size, { lora, ...config }, Random.fromSeed(1))).toThrow();
    }),
  );

  it('that is made anew, looked at and asked whether it was trained', () =>
    expectNothingLeft(async () => {
      expect(weaver.parameters().size).toBeGreaterThan(0);
      expect(weaver.latentCounts).toEqual({ prompt: 3, inference: 2 });
      await weaver.isTrained();
      return weaver.untrained(Random.fromSeed(2));
    }));

  it('that is saved and loaded', () =>
    expectNothingLeft(async () => {
      const copy = join(folder, 'copy');
      await rm(copy, { recursive: true, force: true });
      await mkdir(copy);
      await weaver.save(copy);
      return LatentWeaver.load(copy, base);
    }));

  it('that is loaded from the layout of the official code', () =>
    expectNothingLeft(() => LatentWeaver.loadOfficial(official, base)));

  it('that cannot be saved, found, or put over another model', () =>
    expectNothingLeft(async () => {
      // A file where a folder is wanted.
      await expect(weaver.save(join(saved, 'weaver.safetensors'))).rejects.toThrow();
      const missing = join(folder, 'missing');
      await expect(LatentWeaver.load(missing, base)).rejects.toThrow();
      await expect(LatentWeaver.loadOfficial(missing, base)).rejects.toThrow();
      await expect(LatentWeaver.load(saved, other)).rejects.toThrow();
      await expect(LatentWeaver.loadOfficial(official, other)).rejects.toThrow();
    }));

  it('as arrays, and from arrays, also wrong ones', () =>
    expectNothingLeft(async () => {
      const all = await readWeaverTensors(weaver.parameters());
      const own = new Map([...all].filter(([name]) => !name.startsWith('layers.')));
      expect(() => weaverFromTensors(base, all)).toThrow(/unexpected/);
      expect(() => weaverFromTensors(other, own)).toThrow(/wrong shape/);
      const parts = Object.values(weaverFromTensors(base, own)) as Record<string, tf.Variable>[];
      return parts.flatMap((part) => Object.values(part));
    }));
});

describe('a session', () => {
  it('weaves, goes on with some rows and weaves again', () =>
    expectNothingLeft(() => {
      const session = weaver.begin({ batch: 2 });
      tf.dispose(tf.tidy(() => session.weave('prompt', vectors(6), [[1, 1, 1], [0, 1, 1]]))); // prettier-ignore
      session.select([1, 1, 0]);
      tf.dispose(tf.tidy(() => session.weave('inference', vectors(3), [[1], [1], [1]])));
      return session;
    }));

  it('refuses columns and rows that do not fit', () =>
    expectNothingLeft(() => {
      const session = weaver.begin({ batch: 2 });
      tf.tidy(() => {
        expect(() => session.weave('prompt', vectors(6), [[1, 1]])).toThrow();
        expect(() => session.weave('prompt', vectors(5), [[1, 1, 1], [1, 1, 1]])).toThrow(); // prettier-ignore
        expect(() => session.weave('prompt', tf.zeros([6, 4]), [[1, 1, 1], [1, 1, 1]])).toThrow(); // prettier-ignore
      });
      expect(() => {
        session.select([2]);
      }).toThrow();
      return session;
    }));

  it.each([true, false])('on a tape, with its gradients (checkpointing %s)', (checkpointing) =>
    expectNothingLeft(() => {
      const tape = new Tape({ checkpointing });
      const [input] = tape.constants(() => [vectors(3)]) as [tf.Tensor2D];
      const session = weaver.begin({ batch: 1, execution: tape, ownership: 'parts', dropoutSeed: 1 });
      const latents = session.weave('prompt', input, [[1, 1, 1]]);
      session.dispose();
      const [gradient] = tape.constants(() => [tf.onesLike(latents)]);
      const gradients = tape.backward([{ output: latents, gradient: gradient! }]);
      tape.dispose();
      return [...gradients.values()];
    }),
  );
});

describe('text with latents', () => {
  it('is generated, and aborted before and between tokens', () =>
    expectNothingLeft(async () => {
      await generateWith();
      await generateWith(AbortSignal.abort());
      const model = { decoder: base, tokenizer: smallTokenizer() };
      for await (const { row } of streamGenerate(model, prompts, { ...always, weaver })) if (row === 1) break;
    }));

  it('is learnt from', () =>
    expectNothingLeft(async () => [...(await trainingLoss(base, variedRows, { weaver })).gradients.values()]));
});

describe('a tensor that cannot be read', () => {
  it('ends saving, the question whether it was trained, and generation', async () => {
    expect(await expectNothingLeftByFailedReads(() => readWeaverTensors(weaver.parameters()))).toBe(20);
    expect(await expectNothingLeftByFailedReads(() => weaver.save(saved), 60)).toBeGreaterThan(20);
    expect(await expectNothingLeftByFailedReads(() => weaver.isTrained())).toBe(1);
    expect(await expectNothingLeftByFailedReads(() => generateWith())).toBeGreaterThan(0);
  });
});

it('the conformance suite', async () => {
  const checks = weaverConformance({
    create: () => tinyWeaver(base),
    load: (path) => LatentWeaver.load(path, base),
    reasonerHidden: hidden,
  });
  const before = tf.memory().numTensors;
  for (const { run } of checks.filter(({ name }) => !/finite differences/.test(name))) await run();
  expect(tf.memory().numTensors).toBe(before);
}, 60_000);
