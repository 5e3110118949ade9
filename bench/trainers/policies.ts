// Steps of training by reward: of a weaver, of a trigger, of an adapter, and of a weaver over two turns.
import { rewardPerSample } from '@memgen/common';
import { startBackend } from '@memgen/core';
import {
  trainAdapterGrpo,
  trainTriggerGrpo,
  trainWeaverGrpo,
  type PolicyPrompt,
  type PolicyTrainingOptions,
} from '@memgen/grpo';
import { watchPeakMemory } from '../frame/peak-memory.js';
import type { Reporter } from '../frame/reporter.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts, sentence } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { measuredSteps, policyWork, type PolicyMethod } from './methods.js';
import { newAdapter, newTrigger, newWeaver } from './parts.js';
import { StepMeter } from './step-meter.js';
import { TwoTurns } from './two-turns.js';

/** Differs from completion to completion, whatever the model: its worth is not what is measured. */
const vowels = (text: string) => text.replaceAll(/[^aeiou]/g, '').length / Math.max(1, text.length);

/** `only` names the one method; each has a process of its own for its peak of memory. */
export async function run({ backend, dtype, model, quick, only }: JobSettings, reporter: Reporter): Promise<void> {
  const [method] = only as [PolicyMethod];
  await startBackend({ backend });
  const peak = watchPeakMemory();
  const reasoner = await loadVariant({ backend, dtype, model });
  const clock = () => performance.now();
  const meter = new StepMeter(clock);
  const { groupSize, prompts: promptsPerStep, promptTokens, newTokens } = policyWork;
  const settings = {
    ...{ groupSize, promptsPerStep, maxCompletionLength: newTokens, batchSize: promptsPerStep * groupSize },
    ...{ steps: 1 + measuredSteps(quick), clock },
    onStep: (report) => {
      meter.take(report);
    },
  } satisfies PolicyTrainingOptions<unknown> & { maxCompletionLength: number };
  const rewards = [rewardPerSample({ name: 'vowels', score: ({ completion }) => vowels(completion) })];
  const asked = prompts(reasoner, 2 * promptsPerStep, promptTokens).map((ids): PolicyPrompt<undefined> => {
    return { ids, task: undefined };
  });
  switch (method) {
    case 'weaver-grpo':
      await trainWeaverGrpo(reasoner, newWeaver(reasoner), asked, { ...settings, rewards });
      break;
    case 'trigger-grpo': {
      const others = { weaver: newWeaver(reasoner), allowUntrainedWeaver: true };
      await trainTriggerGrpo(reasoner, newTrigger(reasoner), asked, { ...settings, ...others, rewards });
      break;
    }
    case 'adapter-grpo':
      await trainAdapterGrpo(reasoner, newAdapter(reasoner), asked, { ...settings, rewards });
      break;
    case 'weaver-episodes': {
      const tasks = asked.map((_, i) => `${i + 1}: ${sentence}`);
      const episodes = { tasks, environment: () => new TwoTurns(vowels) };
      await trainWeaverGrpo(reasoner, newWeaver(reasoner), episodes, settings);
    }
  }
  const facts = { backend, dtype };
  for (const figure of meter.figures(method, facts)) reporter.figure(figure);
  const samples = [peak() / 2 ** 20];
  reporter.figure({ ...facts, measure: `${method}-memory`, unit: 'MiB', samples, note: 'loading included' });
}
