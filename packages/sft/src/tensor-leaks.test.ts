// Every public call leaves no tensor behind but what it returns: when it succeeds, fails, is aborted, or cannot read a tensor.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AdamW,
  decoderParameters,
  startBackend,
  type Decoder,
  type LoraAdapter,
  type PlainSequence,
  type Weaver,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variedRows } from '../../core/src/memgen/woven-rows.test-helper.js';
import { frozenDecoder, tinyConfig, trainableDecoder } from '../../core/src/model/tiny-decoder.test-helper.js';
import { expectNothingLeft, expectNothingLeftByFailedReads } from '../../core/src/tensor-leaks.test-helper.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import {
  adapterModel,
  decoderModel,
  loadTrainingState,
  meanLoss,
  muonWithAdamW,
  pretrain,
  restoreValues,
  runTrainingLoop,
  saveTrainingState,
  sequenceLoss,
  setPreviousTokenHead,
  stepGradients,
  tieKeysToQueries,
  trainAdapter,
  trainDecoder,
  trainWeaver,
  weaverModel,
  type SftOptions,
  type SupervisedModel,
} from './index.js';
import { tinyAdapter } from './sft-rows.test-helper.js';

type Row = (typeof variedRows)[number];

let decoder: Decoder;
/** All its weights are trained. */
let whole: Decoder;
let weaver: Weaver;
let adapter: LoraAdapter;
let folder: string;
let count = 0;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig());
  whole = trainableDecoder(tinyConfig({ num_hidden_layers: 1, num_key_value_heads: 4 }));
  weaver = tinyWeaver(decoder, { dropout: 0.1 });
  adapter = tinyAdapter(decoder, { dropout: 0.1 });
});
afterAll(() => {
  adapter.dispose();
  weaver.dispose();
  whole.dispose();
  decoder.dispose();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-sft-leaks-'));
  return () => rm(folder, { recursive: true });
});

const options: SftOptions<Row> = {
  batchSize: 2,
  gradientAccumulation: 2,
  steps: 2,
  schedule: { kind: 'constant', peak: 1e-4 },
};
const everything = (): SftOptions<Row> => ({
  ...options,
  evaluation: { rows: variedRows, every: 1, restoreBest: true },
  checkpoints: { folder: join(folder, String(count++)) },
});
/** The second one does not fit the vocabulary. */
const broken = (): Row[] => [variedRows[0]!, { ...variedRows[1]!, ids: variedRows[1]!.ids.map(() => 999) }];

const models: [
  string,
  () => SupervisedModel<Row>,
  (rows: readonly Row[], options: SftOptions<Row>) => Promise<unknown>,
][] = [
  ['a weaver', () => weaverModel(decoder, weaver), (rows, own) => trainWeaver(decoder, weaver, rows, own)],
  [
    'an adapter',
    () => adapterModel(decoder, adapter),
    (rows, own) => trainAdapter(decoder, adapter, rows, own as SftOptions<PlainSequence>),
  ],
  ['a decoder', () => decoderModel(whole), (rows, own) => trainDecoder(whole, rows, own as SftOptions<PlainSequence>)],
];

describe.each(models)('%s', (_, make, train) => {
  it('is trained, evaluated, saved and gone on with', () =>
    expectNothingLeft(async () => {
      const all = everything();
      await train(variedRows, { ...all, signal: AbortSignal.abort() });
      const stop = new AbortController();
      const onStep = () => {
        stop.abort();
      };
      await train(variedRows, { ...all, signal: stop.signal, onStep });
      await train(variedRows, all);
    }));

  it('is left as it was by settings, rows and hooks that fail', () =>
    expectNothingLeft(async () => {
      await expect(train(variedRows, { ...options, batchSize: 0 })).rejects.toThrow();
      await expect(train([], options)).rejects.toThrow();
      await expect(train(broken(), { ...options, shuffle: false })).rejects.toThrow();
      const failure = () => Promise.reject(new Error('no'));
      await expect(train(variedRows, { ...options, onStep: failure })).rejects.toThrow('no');
      const evaluation = { rows: broken(), every: 1 };
      await expect(train(variedRows, { ...options, evaluation })).rejects.toThrow();
      const checkpoint = { due: () => true, save: failure };
      await expect(train(variedRows, { ...options, checkpoint })).rejects.toThrow('no');
      const checkpoints = { folder: join(folder, 'own'), write: failure };
      await expect(train(variedRows, { ...options, checkpoints })).rejects.toThrow('no');
    }));

  it('gives gradients and losses, of rows that are right and wrong', () =>
    expectNothingLeft(async () => {
      const model = make();
      await meanLoss(model, variedRows, { batchSize: 2 });
      await meanLoss(model, variedRows, { signal: AbortSignal.abort() });
      await expect(model.loss(broken())).rejects.toThrow();
      await expect(model.gradients(broken())).rejects.toThrow();
      await expect(stepGradients(model, broken(), { batchSize: 1 })).rejects.toThrow();
      const { gradients } = await stepGradients(model, variedRows, { batchSize: 2, dropoutSeed: (start) => start });
      return [...gradients.values()];
    }));

  it('cannot be read', async () => {
    const reads = await expectNothingLeftByFailedReads(async () => {
      await meanLoss(make(), variedRows, { batchSize: 3 });
      const { gradients } = await stepGradients(make(), variedRows, { batchSize: 3 });
      return [...gradients.values()];
    });
    expect(reads).toBe(4);
    expect(await expectNothingLeftByFailedReads(() => train(variedRows, everything()), 16)).toBe(16);
  });
});

describe('the parts of training', () => {
  it('the loop: steps, an abort, gradients that are no numbers', () =>
    expectNothingLeft(async () => {
      const parameters = adapter.parameters();
      const optimizer = new AdamW(parameters);
      const loop = (factor: number, signal?: AbortSignal) =>
        runTrainingLoop({
          steps: 2,
          schedule: { kind: 'constant', peak: 1e-4 },
          optimizer,
          gradients: () => ({
            loss: 1,
            tokens: 1,
            readTokens: 1,
            gradients: new Map([...parameters.values()].map((variable) => [variable, tf.fill(variable.shape, factor)])),
          }),
          ...(signal !== undefined && { signal }),
        });
      await loop(1e-3);
      await loop(1e-3, AbortSignal.abort());
      await expect(loop(NaN)).rejects.toMatchObject({ code: 'loss-not-finite' });
      expect(await expectNothingLeftByFailedReads(() => loop(1e-3))).toBe(2);
      return optimizer;
    }));

  it('states of trainers: saved, loaded, restored, also wrong ones', () =>
    expectNothingLeft(async () => {
      const parameters = weaver.parameters();
      const optimizer = new AdamW(parameters);
      await saveTrainingState(folder, 1, optimizer, parameters);
      const { values } = await loadTrainingState(folder);
      restoreValues(values, parameters);
      expect(() => {
        restoreValues(values, decoderParameters(whole.weights));
      }).toThrow();
      await expect(loadTrainingState(join(folder, 'missing'))).rejects.toThrow();
      // A file where a folder is wanted.
      await expect(saveTrainingState(join(folder, 'trainer.json'), 1, optimizer)).rejects.toThrow();
      await expectNothingLeftByFailedReads(() => saveTrainingState(folder, 1, optimizer, parameters), 4);
      return optimizer;
    }));

  it('the loss of sequences', () =>
    expectNothingLeft(async () => {
      await sequenceLoss(decoder, variedRows);
      await expect(sequenceLoss(decoder, broken(), adapter)).rejects.toThrow();
      expect(await expectNothingLeftByFailedReads(() => sequenceLoss(decoder, variedRows, adapter))).toBe(1);
    }));

  it('priors of attention, also where there is no place for them', () =>
    expectNothingLeft(async () => {
      tieKeysToQueries(whole, 0.5);
      await setPreviousTokenHead(whole, 1);
      expect(await expectNothingLeftByFailedReads(() => setPreviousTokenHead(whole, 1))).toBe(1);
      expect(() => {
        tieKeysToQueries(decoder, 0.5);
      }).toThrow();
      await expect(setPreviousTokenHead(decoder, 1)).rejects.toThrow();
      await expect(trainDecoder(decoder, variedRows)).rejects.toMatchObject({ code: 'weights-frozen' });
    }));

  it('pre-training, also of rows that are wrong and from a state of another model', () =>
    expectNothingLeft(async () => {
      const rates = { muon: { learningRate: 1e-3 }, adamW: { learningRate: 1e-3 } };
      const common = { ...rates, steps: 2, schedule: { kind: 'constant' } } as const;
      await pretrain(whole, { ...common, batch: () => variedRows });
      await pretrain(whole, { ...common, batch: () => variedRows, signal: AbortSignal.abort() });
      await expect(pretrain(whole, { ...common, batch: broken })).rejects.toThrow();
      const resume = { step: 1, optimizerState: new Map(), values: new Map() };
      await expect(pretrain(whole, { ...common, batch: () => variedRows, resume })).rejects.toThrow();
      expect(await expectNothingLeftByFailedReads(() => pretrain(whole, { ...common, batch: () => variedRows }))).toBe(
        4,
      );
      return muonWithAdamW(whole, rates);
    }));
});
