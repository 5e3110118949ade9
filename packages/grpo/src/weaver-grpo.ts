// Group relative policy optimisation of a weaver, over one turn or many: the reasoner stays as it is.
import type { Decoder, Tokenizer, Trigger, Weaver } from '@memgen/core';
import type { TrainingOutcome } from '@memgen/sft';
import { episodeSource, type PolicyTasks } from './episode-source.js';
import { generationSettings, type GenerationSettings } from './generation-settings.js';
import { checkSetting, type PolicyTrainingOptions } from './policy-training-options.js';
import { trainPolicy } from './policy-training.js';
import { weaverPolicy } from './weaver-policy.js';

export interface WeaverGrpoOptions<Task>
  extends PolicyTrainingOptions<Task>, Omit<GenerationSettings, 'weaver' | 'trigger' | 'adapter'> {
  /** Decides where latents are woven in, frozen. @default every point is woven */
  trigger?: Trigger;
}

/**
 * Trains the weaver in place; by default with a peak learning rate of 1e-5, the reference's. Sampling depends on the seed
 * and the step alone: with the same prompts and rewards the result is the same, interrupted or not. The adapter's dropout
 * is off, so that probabilities are those of the policy that acted.
 * @throws MemGenError `grpo-options`, `group-size`, `grpo-no-signal` when patience ends, and those of the objective.
 */
export async function trainWeaverGrpo<Task>(
  reasoner: { decoder: Decoder; tokenizer: Tokenizer },
  weaver: Weaver,
  tasks: PolicyTasks<Task>,
  options: WeaverGrpoOptions<Task>,
): Promise<TrainingOutcome> {
  const { temperature = 1, groupSize = 8, gradientCheckpointing = true } = options;
  checkSetting(
    temperature > 0,
    'temperature',
    temperature,
    'above 0: a greedy policy gives a group of equal completions',
  );
  const policy = weaverPolicy(reasoner.decoder, weaver, { temperature, gradientCheckpointing });
  const settings = generationSettings({ ...options, weaver, temperature });
  const source = episodeSource(reasoner, tasks, { ...settings, groupSize }, options.rollouts);
  return trainPolicy(policy, source, { learningRate: 1e-5, ...options });
}
