// Training where no tensor can be read at once, as on a GPU: on wasm with such reads forbidden and, where one answers, on webgpu.
import { Random } from '@memgen/common';
import { LoraAdapter, startBackend, type Decoder } from '@memgen/core';
import { trainAdapter, trainDecoder, trainWeaver } from '@memgen/sft';
import { LanguageModelTrigger } from '@memgen/trigger';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { variedRows } from '../../core/src/memgen/woven-rows.test-helper.js';
import {
  frozenDecoder,
  randomIds,
  tinyConfig,
  trainableDecoder,
} from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { trainAdapterGrpo } from './adapter-grpo.js';
import { trainTriggerGrpo } from './trigger-grpo.js';
import { trainWeaverGrpo } from './weaver-grpo.js';

const environment = { ...process.env, MEMGEN_WEBGPU_SOFTWARE: '1' };
const hasWebgpu = await startBackend({ backend: 'webgpu', environment }).then(
  () => true,
  () => false,
);

const config = tinyConfig({ num_hidden_layers: 1 });
const tokenizer = smallTokenizer({ config: { pad_token: '!' } });
const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'down_proj'] };
const prompts = [1, 2].map((seed) => ({ ids: randomIds(3 + seed, seed), task: null }));
const upper = {
  name: 'upper',
  score: (samples: readonly { ids: readonly number[] }[]) =>
    samples.map(({ ids }) => ({ value: ids.filter((id) => id >= 16).length / ids.length })),
};

/** Options of both kinds of training that make it read all that it ever reads. */
const supervised = { steps: 1, batchSize: 3, schedule: { kind: 'constant', peak: 0.01 } } as const;
const rewarded = {
  ...supervised,
  steps: 2,
  rewards: [upper],
  groupSize: 3,
  promptsPerStep: 2,
  maxCompletionLength: 2,
  iterations: 2,
  beta: 0.1,
};

type Report = (report: { loss: number }) => void;

/** Each trains a model of its own. */
const methods: Record<string, (decoder: Decoder, report: Report) => Promise<void>> = {
  'weaver SFT': async (decoder, report) => {
    const weaver = tinyWeaver(decoder);
    const evaluation = { rows: variedRows, onEvaluation: report };
    await trainWeaver(decoder, weaver, variedRows, { ...supervised, onStep: report, evaluation });
    weaver.dispose();
  },
  'adapter SFT': async (decoder, report) => {
    const adapter = LoraAdapter.initialize(config, lora, Random.fromSeed(1));
    const evaluation = { rows: variedRows, onEvaluation: report };
    await trainAdapter(decoder, adapter, variedRows, { ...supervised, onStep: report, evaluation });
    adapter.dispose();
  },
  'full SFT': async (_, report) => {
    const decoder = trainableDecoder(config);
    await trainDecoder(decoder, variedRows, { ...supervised, onStep: report });
    decoder.dispose();
  },
  'weaver GRPO': async (decoder, report) => {
    const weaver = tinyWeaver(decoder);
    await trainWeaverGrpo({ decoder, tokenizer }, weaver, prompts, { ...rewarded, onStep: report });
    weaver.dispose();
  },
  'trigger GRPO': async (decoder, report) => {
    const weaver = tinyWeaver(decoder);
    const trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(3));
    const options = { ...rewarded, weaver, penalty: { lambda: 0.1 }, onStep: report };
    await trainTriggerGrpo({ decoder, tokenizer }, trigger, prompts, options);
    trigger.dispose();
    weaver.dispose();
  },
  'adapter GRPO': async (decoder, report) => {
    const adapter = LoraAdapter.initialize(config, lora, Random.fromSeed(1));
    await trainAdapterGrpo({ decoder, tokenizer }, adapter, prompts, { ...rewarded, onStep: report });
    adapter.dispose();
  },
};

/** On the backend that is started. */
async function lossesOf(name: string, { forbidReads = false } = {}): Promise<number[]> {
  const decoder = await frozenDecoder(config);
  if (forbidReads) {
    for (const read of ['dataSync', 'arraySync'] as const) {
      vi.spyOn(tf.Tensor.prototype, read).mockImplementation(() => {
        throw new Error('a tensor was read at once');
      });
    }
  }
  const losses: number[] = [];
  await methods[name]!(decoder, ({ loss }) => void losses.push(loss));
  vi.restoreAllMocks();
  decoder.dispose();
  return losses;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(Object.keys(methods))('%s', (name) => {
  it('reads no tensor at once', async () => {
    await startBackend({ backend: 'wasm' });
    const losses = await lossesOf(name);
    expect(losses.length).toBeGreaterThan(0);
    expect(await lossesOf(name, { forbidReads: true })).toEqual(losses);
  });

  it.skipIf(!hasWebgpu)(
    'has the same losses on webgpu (skipped: no adapter answers)',
    async () => {
      await startBackend({ backend: 'wasm' });
      const wanted = await lossesOf(name);
      await startBackend({ backend: 'webgpu', environment });
      const losses = await lossesOf(name);
      expect(losses).toHaveLength(wanted.length);
      wanted.forEach((loss, i) => {
        expect(losses[i]).toBeCloseTo(loss, 3);
      });
    },
    180_000,
  );
});
