// Group relative policy optimisation of a trigger, over one turn or many: reasoner and weaver stay as they are.
import { requireTrainedWeaver, type Decoder, type Tokenizer, type TrainedWeaverOptions, type Trigger, type Weaver } from '@memgen/core'; // prettier-ignore
import type { TrainingOutcome } from '@memgen/sft';
import type { AdaptivePenaltyOptions } from './adaptive-penalty.js';
import { episodeSource, type PolicyTasks } from './episode-source.js';
import { generationSettings, type GenerationSettings } from './generation-settings.js';
import { checkSetting, type PolicyTrainingOptions } from './policy-training-options.js';
import { trainPolicy } from './policy-training.js';
import { triggerPolicy } from './trigger-policy.js';

export interface TriggerGrpoOptions<Task>
  extends
    PolicyTrainingOptions<Task>,
    TrainedWeaverOptions,
    Omit<GenerationSettings, 'weaver' | 'trigger' | 'adapter'> {
  weaver: Weaver;
  /** Of the decisions, and of their probabilities; above 0. @default 1 */
  triggerTemperature?: number;
  /** Of the tokens: greedy, so that rewards differ by what was decided. @default 0, the reference's */
  temperature?: number;
  /** The paper's reward-adaptive penalty. Absent from the official code. @default off */
  penalty?: AdaptivePenaltyOptions;
}

/**
 * Trains the trigger in place on the decisions that it drew; by default with a peak learning rate of 1e-6, the reference's.
 * Metrics have `weave_rate`, `weave_probability`, `augmentations/*` (decisions of a completion) and, with the penalty,
 * `penalty`. Otherwise as `trainWeaverGrpo`.
 * @throws MemGenError `weaver-untrained`, `grpo-options`, `group-size`, `grpo-no-signal` when patience ends, and those of the
 *   objective.
 */
export async function trainTriggerGrpo<Task>(
  reasoner: { decoder: Decoder; tokenizer: Tokenizer },
  trigger: Trigger,
  tasks: PolicyTasks<Task>,
  options: TriggerGrpoOptions<Task>,
): Promise<TrainingOutcome> {
  const {
    weaver,
    triggerTemperature = 1,
    temperature = 0,
    groupSize = 8,
    gradientCheckpointing = true,
    penalty,
  } = options;
  const decisive = 'above 0: a trigger that takes the likelier choice gives a group of equal completions';
  checkSetting(triggerTemperature > 0, 'triggerTemperature', triggerTemperature, decisive);
  await requireTrainedWeaver(weaver, options);
  const policy = triggerPolicy(trigger, {
    temperature: triggerTemperature,
    padId: reasoner.tokenizer.padId,
    groupSize,
    gradientCheckpointing,
    penalty,
  });
  const settings = generationSettings({ ...options, trigger, triggerTemperature, temperature });
  const source = episodeSource(reasoner, tasks, { ...settings, groupSize }, options.rollouts);
  return trainPolicy(policy, source, { learningRate: 1e-6, ...options });
}
