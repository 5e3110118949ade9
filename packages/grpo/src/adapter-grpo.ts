// Group relative policy optimisation of a LoRA adapter of the reasoner, without latents: the baseline of the paper.
import type { Decoder, LoraAdapter, Tokenizer } from '@memgen/core';
import type { TrainingOutcome } from '@memgen/sft';
import { adapterPolicy } from './adapter-policy.js';
import { episodeSource, type PolicyTasks } from './episode-source.js';
import type { GenerationSettings } from './generation-settings.js';
import { checkSetting, type PolicyTrainingOptions } from './policy-training-options.js';
import { trainPolicy } from './policy-training.js';

export interface AdapterGrpoOptions<Task>
  extends PolicyTrainingOptions<Task>, Pick<GenerationSettings, 'temperature' | 'maxCompletionLength'> {}

/**
 * Trains the adapter in place; by default with a peak learning rate of 1e-5. Its dropout is off. Otherwise as
 * `trainWeaverGrpo`.
 * @throws MemGenError `grpo-options`, `group-size`, `grpo-no-signal` when patience ends, and those of the objective.
 */
export async function trainAdapterGrpo<Task>(
  reasoner: { decoder: Decoder; tokenizer: Tokenizer },
  adapter: LoraAdapter,
  tasks: PolicyTasks<Task>,
  options: AdapterGrpoOptions<Task>,
): Promise<TrainingOutcome> {
  const { temperature = 1, groupSize = 8, gradientCheckpointing = true, maxCompletionLength } = options;
  checkSetting(
    temperature > 0,
    'temperature',
    temperature,
    'above 0: a greedy policy gives a group of equal completions',
  );
  const policy = adapterPolicy(reasoner.decoder, adapter, { temperature, gradientCheckpointing });
  const settings = { adapter, temperature, groupSize, maxCompletionLength };
  const source = episodeSource(reasoner, tasks, settings, options.rollouts);
  return trainPolicy(policy, source, { learningRate: 1e-5, ...options });
}
