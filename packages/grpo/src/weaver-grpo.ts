// Group relative policy optimisation of a weaver over one turn: the reasoner stays as it is.
import { MemGenError, Random } from '@memgen/common';
import {
  AdamW,
  type AdamWOptions,
  type Decoder,
  type Optimizer,
  type ScheduleOptions,
  type Tokenizer,
  type Weaver,
} from '@memgen/core';
import { DataOrder, runTrainingLoop, type StepGradients, type StepReport, type TrainingOutcome } from '@memgen/sft';
import { RolloutBatches, type RolloutBatchOptions } from './rollout-batches.js';
import { rolloutWeaver, type PolicyPrompt, type RolloutOptions, type WeaverRollout } from './weaver-rollout.js';

/** What is reported after each optimizer step. */
export interface WeaverGrpoReport<Task> extends StepReport {
  /** Rewards, completions, objective, by TRL's names. */
  metrics: Record<string, number>;
  /** The completions that were learnt from; the same for all `iterations` over them. */
  rollout: WeaverRollout<Task>;
}

export interface WeaverGrpoOptions<Task> extends Omit<RolloutOptions<Task>, 'weaver'>, RolloutBatchOptions {
  /** Prompts of one rollout; each has `groupSize` completions. @default 4 */
  promptsPerStep?: number;
  steps: number;
  /** @default cosine to 0 from 1e-5, warm-up over 10 % of the steps */
  schedule?: Omit<ScheduleOptions, 'steps'>;
  adamW?: AdamWOptions;
  /** @default 1 */
  clipNorm?: number;
  /** Order of the prompts, sampling. @default 0 */
  seed?: number;
  /** After this many rollouts in a row that teach nothing the run stops with an error that says why. @default never */
  patience?: number;
  onStep?: (report: WeaverGrpoReport<Task>) => void | Promise<void>;
  /** Asked where a rollout has been used up, never between its iterations. */
  checkpoint?: { due: (step: number) => boolean; save: (step: number, optimizer: Optimizer) => Promise<void> };
  /** Finish the rollout in hand, save, and return. */
  signal?: AbortSignal;
  /** Where an earlier run stopped: its step and its optimizer's state. */
  resume?: { step: number; optimizerState: Parameters<Optimizer['importState']>[0] };
}

/**
 * Trains the weaver in place. Sampling depends on the seed and the step alone: with the same prompts and rewards the result
 * is the same, interrupted or not. The adapter's dropout is off, so that probabilities are those of the policy that acted.
 * @throws MemGenError `grpo-options`, `grpo-no-signal` when patience ends, and those of the objective.
 */
export async function trainWeaverGrpo<Task>(
  reasoner: { decoder: Decoder; tokenizer: Tokenizer },
  weaver: Weaver,
  prompts: readonly PolicyPrompt<Task>[],
  options: WeaverGrpoOptions<Task>,
): Promise<TrainingOutcome> {
  const { promptsPerStep = 4, iterations = 1, steps, seed = 0, patience = Infinity, signal, resume } = options;
  checkOptions(options, prompts.length);
  const random = Random.fromSeed(seed);
  const order = new DataOrder({ rows: prompts.length, batchSize: promptsPerStep, random: random.fork('prompts') });
  const optimizer = new AdamW(weaver.parameters(), options.adamW);
  const batches = new RolloutBatches(reasoner.decoder, weaver, options);
  let rollout: WeaverRollout<Task> | undefined;
  let metrics: Record<string, number> = {};
  let fruitless = 0;

  const gradients = async (step: number): Promise<StepGradients> => {
    if (rollout === undefined || step % iterations === 0) {
      const at = Math.floor(step / iterations);
      const chosen = order.batch(at).map((index) => prompts[index]!);
      rollout = await rolloutWeaver(reasoner, chosen, random.fork(`rollout ${at}`), { ...options, weaver });
      fruitless = rollout.obstacle === undefined ? 0 : fruitless + 1;
      if (fruitless >= patience) throw noSignal(fruitless, rollout.obstacle!, step);
      rollout.rows = batches.withOtherPolicies(rollout.rows);
    }
    const result = batches.gradients(rollout.rows);
    metrics = { ...rollout.metrics, ...result.metrics };
    return result;
  };

  // Between the iterations over a rollout there is no state that a later run could go on from.
  const stop = new AbortController();
  const stopIfAsked = (step: number) => {
    if (signal?.aborted === true && step % iterations === 0) stop.abort();
  };
  try {
    if (resume !== undefined) optimizer.importState(resume.optimizerState);
    const firstStep = resume?.step ?? 0;
    stopIfAsked(firstStep);
    const { checkpoint, clipNorm } = options;
    return await runTrainingLoop({
      steps,
      firstStep,
      schedule: options.schedule ?? { kind: 'cosine', peak: 1e-5, warmup: Math.ceil(0.1 * steps) },
      optimizer,
      gradients,
      signal: stop.signal,
      onStep: async (report) => {
        await options.onStep?.({ ...report, metrics, rollout: rollout! });
        stopIfAsked(report.step);
      },
      ...(clipNorm !== undefined && { clipNorm }),
      ...(checkpoint !== undefined && {
        checkpoint: {
          due: (step: number) => step % iterations === 0 && checkpoint.due(step),
          save: (step: number) => checkpoint.save(step, optimizer),
        },
      }),
    });
  } finally {
    optimizer.dispose();
  }
}

function checkOptions<Task>(
  {
    promptsPerStep = 4,
    iterations = 1,
    batchSize = 4,
    temperature = 1,
    beta = 0,
    patience = Infinity,
    reference,
    resume,
    steps,
  }: WeaverGrpoOptions<Task>,
  prompts: number,
): void {
  const check = (holds: boolean, where: string, got: unknown, expected: string) => {
    if (holds) return;
    throw new MemGenError({
      code: 'grpo-options',
      where,
      message: 'this setting cannot be used',
      got: String(got),
      expected,
    });
  };
  const positive = (where: string, value: number) => {
    check(Number.isInteger(value) && value >= 1, where, value, 'a whole number of 1 or more');
  };
  positive('promptsPerStep', promptsPerStep);
  positive('iterations', iterations);
  positive('batchSize', batchSize);
  check(promptsPerStep <= prompts, 'promptsPerStep', promptsPerStep, `at most the ${prompts} prompts there are`);
  check(patience >= 1, 'patience', patience, 'a number of rollouts, 1 or more');
  check(steps % iterations === 0, 'steps', steps, `a multiple of the ${iterations} iterations over each rollout`);
  const done = resume?.step ?? 0;
  check(done % iterations === 0, 'resume.step', done, `a multiple of the ${iterations} iterations over each rollout`);
  check(temperature > 0, 'temperature', temperature, 'above 0: a greedy policy gives a group of equal completions');
  check(beta === 0 || reference !== undefined, 'reference', 'none', 'a weaver to stay close to, since beta is not 0');
}

function noSignal(rollouts: number, obstacle: string, step: number): MemGenError {
  return new MemGenError({
    code: 'grpo-no-signal',
    where: `step ${step}`,
    message: `${rollouts} rollouts in a row had nothing to teach: ${obstacle}`,
    hint: 'check the reward on some completions by hand, raise the temperature or groupSize, or start from a better weaver',
  });
}
