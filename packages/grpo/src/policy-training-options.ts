// What the training of any policy takes, and what is checked before it starts.
import { MemGenError, type Logger } from '@memgen/common';
import type { AdamWOptions, Optimizer, ScheduleOptions } from '@memgen/core';
import type { StepReport } from '@memgen/sft';
import type * as tf from '@tensorflow/tfjs';
import type { PolicyBatchOptions } from './policy-batches.js';
import type { ParameterValues } from './reference-values.js';
import type { Rollout, RolloutOptions } from './rollout.js';
import type { RolloutWorkers } from './workers/rollout-workers.js';

/** What is reported after each optimizer step. */
export interface PolicyStepReport<Task> extends StepReport {
  /** Rewards, completions, objective, by TRL's names where it has them. */
  metrics: Record<string, number>;
  /** What was learnt from; the same for all `iterations` over it. */
  rollout: Rollout<Task>;
}

export interface PolicyTrainingOptions<Task> extends RolloutOptions<Task>, PolicyBatchOptions {
  /** Prompts of one rollout; each has `groupSize` completions. @default 4, or as `completionsPerStep` says */
  promptsPerStep?: number;
  /** The same counted in completions, as TRL does: a multiple of `groupSize`. */
  completionsPerStep?: number;
  steps: number;
  /** Workers that play the rollouts, which are disposed by whoever started them. @default this thread plays them */
  rollouts?: RolloutWorkers | undefined;
  /**
   * The policy to stay close to where `beta` is not 0: values (`parameterValues`), or a part that has them. A run that
   * resumes needs the same that it began with. @default the parameters as they are when training begins
   */
  reference?: ParameterValues | { parameters(): ReadonlyMap<string, tf.Variable> };
  /** @default true */
  gradientCheckpointing?: boolean;
  /** @default cosine to 0, warm-up over 10 % of the steps */
  schedule?: Omit<ScheduleOptions, 'steps'>;
  adamW?: AdamWOptions;
  /** @default 1 */
  clipNorm?: number;
  /** Order of the prompts, sampling. @default 0 */
  seed?: number;
  /** After this many rollouts in a row that teach nothing the run stops with an error that says why. @default never */
  patience?: number;
  /** Told at once of rollouts that teach nothing, and of rewards that failed. @default silent */
  logger?: Logger;
  /**
   * Milliseconds of any origin. With it metrics have `time/rollout`, `time/reward`, `time/policies` (what the policies that
   * acted and are referred to would have done), `time/forward`, `time/backward` and `time/optimizer` (with the clipping).
   */
  clock?: () => number;
  onStep?: (report: PolicyStepReport<Task>) => void | Promise<void>;
  /** Asked where a rollout has been used up, never between its iterations. */
  checkpoint?: { due: (step: number) => boolean; save: (step: number, optimizer: Optimizer) => Promise<void> };
  /** Finish the rollout in hand, save, and return. */
  signal?: AbortSignal;
  /** Where an earlier run stopped: its step and its optimizer's state. */
  resume?: { step: number; optimizerState: Parameters<Optimizer['importState']>[0] };
}

/** @throws MemGenError `group-size` for a `completionsPerStep` that does not make whole groups. */
export function promptsOfStep({
  promptsPerStep,
  completionsPerStep,
  groupSize = 8,
}: Pick<PolicyTrainingOptions<unknown>, 'promptsPerStep' | 'completionsPerStep' | 'groupSize'>): number {
  const fail = (message: string, got: string, expected: string): never => {
    throw new MemGenError({
      code: 'group-size',
      message,
      got,
      expected,
      hint: 'a step is counted in prompts (promptsPerStep); each of them has groupSize completions',
    });
  };
  if (!Number.isInteger(groupSize) || groupSize < 2) {
    fail('a group needs completions to compare', `groupSize ${groupSize}`, 'a whole number of 2 or more');
  }
  if (completionsPerStep === undefined) return promptsPerStep ?? 4;
  const prompts = completionsPerStep / groupSize;
  if (!Number.isInteger(prompts) || prompts < 1) {
    const sizes = Array.from({ length: Math.max(0, completionsPerStep) }, (_, i) => i + 1);
    const divisors = sizes.filter((size) => size >= 2 && completionsPerStep % size === 0);
    const below = Math.floor(prompts) * groupSize;
    const near = [below, below + groupSize].filter((count) => count > 0);
    fail(
      'the completions of a step do not make whole groups',
      `${completionsPerStep} completions in groups of ${groupSize}`,
      `${near.join(' or ')} completions${divisors.length > 0 ? `, or a groupSize of ${divisors.join(', ')}` : ''}`,
    );
  }
  if (promptsPerStep !== undefined && promptsPerStep !== prompts) {
    const both = `${promptsPerStep} prompts and ${completionsPerStep} completions in groups of ${groupSize}`;
    fail('the two sizes of a step say different things', both, `one of them, or ${prompts} prompts`);
  }
  return prompts;
}

/** @throws MemGenError `grpo-options`. */
export function checkPolicyTraining<Task>(
  {
    iterations = 1,
    batchSize = 4,
    beta = 0,
    patience = Infinity,
    reference,
    resume,
    steps,
  }: PolicyTrainingOptions<Task>,
  { prompts, promptsPerStep }: { prompts: number; promptsPerStep: number },
): void {
  const positive = (where: string, value: number) => {
    checkSetting(Number.isInteger(value) && value >= 1, where, value, 'a whole number of 1 or more');
  };
  positive('promptsPerStep', promptsPerStep);
  positive('iterations', iterations);
  positive('batchSize', batchSize);
  positive('steps', steps);
  checkSetting(promptsPerStep <= prompts, 'promptsPerStep', promptsPerStep, `at most the ${prompts} prompts there are`);
  checkSetting(patience >= 1, 'patience', patience, 'a number of rollouts, 1 or more');
  const whole = `a multiple of the ${iterations} iterations over each rollout`;
  checkSetting(steps % iterations === 0, 'steps', steps, whole);
  const done = resume?.step ?? 0;
  checkSetting(done % iterations === 0, 'resume.step', done, whole);
  const isKnown = beta === 0 || resume === undefined || reference !== undefined;
  checkSetting(
    isKnown,
    'reference',
    'none',
    'the parameters that the run began with, since beta is not 0 and it resumes',
  );
}

/** @throws MemGenError `grpo-options` unless it holds. */
export function checkSetting(holds: boolean, where: string, got: unknown, expected: string): void {
  if (holds) return;
  throw new MemGenError({
    code: 'grpo-options',
    where,
    message: 'this setting cannot be used',
    got: String(got),
    expected,
  });
}
