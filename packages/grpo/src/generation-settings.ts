// How the completions of a rollout are generated, over one turn or many.
import type { DelimiterRule, LoraAdapter, Trigger, Weaver } from '@memgen/core';

/** The reference's. */
export const defaultCompletionLength = 1024;

export interface GenerationSettings {
  weaver?: Weaver | undefined;
  trigger?: Trigger | undefined;
  /** Of the trigger's decisions; 0 takes the likelier. @default 0 */
  triggerTemperature?: number | undefined;
  /** Over the reasoner. */
  adapter?: LoraAdapter | undefined;
  /** Of the tokens; 0 takes the likeliest. @default 1 */
  temperature?: number | undefined;
  /** Most tokens of one turn of the model. @default 1024 */
  maxCompletionLength?: number | undefined;
  /** Most times that latents are woven into one turn, that of its prompt not counted. @default 5 */
  maxInferencePoints?: number | undefined;
  /** Fewest tokens from one weaving to the next. @default 1 */
  minimumPointDistance?: number | undefined;
  /** @default "reference" */
  delimiterRule?: DelimiterRule | undefined;
}

/** Nothing but these settings, out of the options of a trainer. */
export function generationSettings({
  weaver,
  trigger,
  triggerTemperature,
  adapter,
  temperature,
  maxCompletionLength,
  maxInferencePoints,
  minimumPointDistance,
  delimiterRule,
}: GenerationSettings): GenerationSettings {
  return {
    weaver,
    trigger,
    triggerTemperature,
    adapter,
    temperature,
    maxCompletionLength,
    maxInferencePoints,
    minimumPointDistance,
    delimiterRule,
  };
}

/** The same as `generate` of `@memgen/core` takes it. */
export function generateOptions({
  weaver,
  trigger,
  triggerTemperature = 0,
  adapter,
  temperature = 1,
  maxCompletionLength = defaultCompletionLength,
  maxInferencePoints = 5,
  minimumPointDistance = 1,
  delimiterRule = 'reference',
}: GenerationSettings) {
  return {
    weaver,
    trigger,
    triggerTemperature,
    adapter,
    sampling: { temperature },
    maxNewTokens: maxCompletionLength,
    maxInferencePoints,
    minimumPointDistance,
    delimiterRule,
  };
}
