// Policy training in a process of its own, to be killed: tells each reward, step and half-written checkpoint to its parent.
import { Random } from '@memgen/common';
import { startBackend, type Trigger, type Weaver } from '@memgen/core';
import { CheckpointFolder, loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import { LanguageModelTrigger } from '@memgen/trigger';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { frozenDecoder, randomIds, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import type { PolicyTrainingOptions } from './policy-training-options.js';
import { parameterValues } from './reference-values.js';
import { CountingEnvironment, type CountingTask } from './test-environments.test-helper.js';
import { trainTriggerGrpo } from './trigger-grpo.js';
import { trainWeaverGrpo } from './weaver-grpo.js';

/** The weaver answers prompts in one turn, the trigger decides in episodes of two. */
export const trainedParts = ['weaver', 'trigger'] as const;
export type TrainedPart = (typeof trainedParts)[number];

export interface RunInFolderOptions {
  part: TrainedPart;
  folder: string;
  /** Told `reward`, `step 3`, `writing 4`. */
  tell?: (event: string) => void;
  /** Called between the files of a checkpoint. */
  whileWriting?: (folder: string, step: number) => Promise<void>;
}

/**
 * Begins, or goes on from the newest checkpoint: every second rollout has one.
 * @returns the weights of the finished part, in base64 by name.
 */
export async function trainInFolder({
  part,
  folder,
  tell = () => undefined,
  whileWriting = () => Promise.resolve(),
}: RunInFolderOptions): Promise<Record<string, string>> {
  await startBackend({ backend: 'wasm' });
  const tokenizer = smallTokenizer({ config: { pad_token: '!' } });
  const vocabulary = { vocab_size: tokenizer.vocabularySize, max_position_embeddings: 256 };
  const decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1, ...vocabulary }));
  const weaver = tinyWeaver(decoder);
  const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
  const trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(3));
  const trained: Weaver | Trigger = part === 'weaver' ? weaver : trigger;
  const parameters = trained.parameters();
  const checkpoints = new CheckpointFolder({ folder, everySteps: 4 });
  // What the policy is kept close to is the policy of the beginning, after an interruption too.
  const reference = await parameterValues(parameters);
  const newest = await checkpoints.open();
  const resume = newest && (await loadTrainingState(newest.path));
  if (resume !== undefined) restoreValues(resume.values, parameters);

  const settings = {
    ...{ groupSize: 4, promptsPerStep: 2, maxCompletionLength: 4, batchSize: 8, iterations: 2, beta: 0.05, seed: 2 },
    steps: 12,
    schedule: { kind: 'cosine', peak: 0.05, warmup: 2 },
    reference,
    ...(resume !== undefined && { resume }),
    checkpoint: {
      due: (step) => checkpoints.due(step),
      save: (step, optimizer) =>
        checkpoints.save(step, async (path) => {
          await whileWriting(path, step);
          await saveTrainingState(path, step, optimizer, parameters);
        }),
    },
    onStep: ({ step }) => {
      tell(`step ${step}`);
    },
  } satisfies PolicyTrainingOptions<unknown>;
  const reasoner = { decoder, tokenizer };
  if (part === 'weaver') {
    const prompts = [1, 2, 3, 4, 5].map((seed) => ({ ids: randomIds(3 + seed, seed), task: seed }));
    const rewarded = async (ids: readonly number[]) => {
      tell('reward');
      await setTimeout(10);
      return { value: ids.filter((id) => id % 2 === 0).length };
    };
    await trainWeaverGrpo(reasoner, weaver, prompts, {
      ...settings,
      rewards: [{ name: 'even', score: (samples) => Promise.all(samples.map(({ ids }) => rewarded(ids))) }],
    });
  } else {
    const wait = async (turn: number) => {
      if (turn === 2) tell('reward');
      await setTimeout(10);
    };
    const reward = (text: string) => text.length % 3;
    await trainTriggerGrpo(
      reasoner,
      trigger,
      {
        tasks: ['a', 'b', 'c'].map((name): CountingTask => ({ name, turns: 2, reward, wait })),
        environment: () => new CountingEnvironment(),
        // Only then do turns repeat to the bit, whoever answers first.
        gathering: 'all',
      },
      { ...settings, weaver, penalty: { lambda: 0.3 } },
    );
  }
  const values = [...parameters].map(([name, variable]) => [name, Buffer.from(variable.dataSync().slice().buffer).toString('base64')]); // prettier-ignore
  for (const one of [trigger, weaver, decoder]) one.dispose();
  return Object.fromEntries(values) as Record<string, string>;
}

const [, script, part, folder] = process.argv;
if (import.meta.filename === script && folder !== undefined) {
  const values = await trainInFolder({
    part: trainedParts.find((name) => name === part)!,
    folder,
    tell: (event) => process.send?.(event),
    whileWriting: async (path, step) => {
      await writeFile(join(path, 'half'), 'written');
      process.send?.(`writing ${step}`);
      // Time for the parent's signal to arrive.
      await setTimeout(30);
    },
  });
  process.send?.(values, () => {
    process.disconnect();
  });
}
