// Supervised training of a weaver, an adapter or a copy of the reasoner, as a phase of a run.
import { MemGenError, Random } from '@memgen/common';
import type { PlainSequence } from '@memgen/core';
import {
  prepareSequences,
  prepareWovenRows,
  sftSteps,
  trainAdapter,
  trainDecoder,
  trainWeaver,
  type PreparedRows,
  type SftOptions,
  type SftOutcome,
} from '@memgen/sft';
import { writeParts } from '../parts/checkpoint-content.js';
import { weavingOf } from '../parts/weaving.js';
import type { TrainingExample } from '../tasks/task.js';
import { adamWOf, checkpointsOf, scheduleOf } from './optimizer-settings.js';
import type { TrainingPhaseOptions, TrainingPhaseOutcome } from './phase-options.js';

export async function runSftPhase(options: TrainingPhaseOptions): Promise<TrainingPhaseOutcome> {
  const { reasoner, parts, task } = options;
  const { train } = options.experiment.training;
  if (train === 'weaver') {
    const prepare = (examples: readonly TrainingExample[]) => wovenRows(examples, options);
    const [rows, validation] = [prepare(task.training), prepare(task.validation)];
    return run(rows, validation, options, (settings) =>
      trainWeaver(reasoner.decoder, parts.weaver!, rows.rows, settings),
    );
  }
  const prepare = (examples: readonly TrainingExample[]) => plainRows(examples, options);
  const [rows, validation] = [prepare(task.training), prepare(task.validation)];
  return run(rows, validation, options, (settings) =>
    train === 'adapter'
      ? trainAdapter(reasoner.decoder, parts.adapter!, rows.rows, settings)
      : trainDecoder(parts.decoder!, rows.rows, settings),
  );
}

/** Rows as a weaver reads them: one for each answer, with the points at which latents go in. */
export function wovenRows(
  examples: readonly TrainingExample[],
  { experiment, reasoner: { tokenizer }, template }: Pick<TrainingPhaseOptions, 'experiment' | 'reasoner' | 'template'>,
) {
  const { training, weaver, seed } = experiment;
  return prepareWovenRows(examples, {
    tokenizer,
    template,
    maxLength: training.maxLength,
    tooLong: training.tooLong,
    maxTurns: { count: weaver.maxPromptAugNum, random: Random.fromSeed(seed).fork('answers') },
    ...weavingOf(experiment, { hasTrigger: false }),
  });
}

/** Rows without latents: one for each conversation, all of its answers supervised. */
export function plainRows(
  examples: readonly TrainingExample[],
  { experiment, reasoner: { tokenizer }, template }: Pick<TrainingPhaseOptions, 'experiment' | 'reasoner' | 'template'>,
): PreparedRows<PlainSequence> {
  const { maxLength, tooLong } = experiment.training;
  return prepareSequences(examples, { tokenizer, template, maxLength, tooLong });
}

async function run<Row extends PlainSequence>(
  { rows, note }: PreparedRows<Row>,
  validation: PreparedRows<Row>,
  options: TrainingPhaseOptions,
  train: (settings: SftOptions<Row>) => Promise<SftOutcome>,
): Promise<TrainingPhaseOutcome> {
  const { experiment, task } = options;
  const { training } = experiment;
  for (const text of [note, validation.note]) if (text !== undefined) options.onNote(text);
  const { batchSize, gradientAccumulation, epochs, maxSteps = Infinity } = training;
  const perEpoch = sftSteps(rows.length, { batchSize, gradientAccumulation, epochs: 1 });
  const steps = Math.min(maxSteps, Math.ceil(perEpoch * epochs));
  options.onStart(steps, options.run.resumedFrom?.step ?? 0);
  const outcome = await train({
    steps,
    batchSize,
    gradientAccumulation,
    accumulation: training.accumulation,
    seed: experiment.seed,
    shuffle: task.keepsOrder !== true,
    schedule: scheduleOf(training, steps),
    adamW: adamWOf(training),
    clipNorm: training.clipNorm,
    gradientCheckpointing: training.gradientCheckpointing,
    checkpoints: {
      ...checkpointsOf(training, options.run, options.now),
      write: (folder) => writeParts(folder, options),
    },
    ...evaluationOf(validation.rows, options),
    ...watching(options),
  });
  const { step, complete, best } = outcome;
  const restored = complete && training.restoreBest && best !== undefined;
  if (best !== undefined && complete) {
    options.onNote(`lowest validation loss ${best.loss.toFixed(4)} after step ${best.step}`);
  }
  return { step, complete, weightsOf: restored ? best.step : step };
}

/** @throws MemGenError `config` for settings that need validation rows where there are none. */
function evaluationOf<Row extends PlainSequence>(
  rows: readonly Row[],
  { experiment: { training }, run, onNote }: TrainingPhaseOptions,
): Pick<SftOptions<Row>, 'evaluation'> {
  const { patience, restoreBest, minimumImprovement, evaluateEverySteps } = training;
  if (rows.length === 0) {
    if (patience === undefined && !restoreBest) return {};
    throw new MemGenError({
      code: 'config',
      where: restoreBest ? 'training.restore_best' : 'training.patience',
      message: 'there is no validation row by which a best model could be told',
      expected: 'a task with validation rows',
    });
  }
  return {
    evaluation: {
      rows,
      every: evaluateEverySteps ?? 'epoch',
      restoreBest,
      minimumImprovement,
      ...(patience !== undefined && { patience }),
      onEvaluation: ({ step, loss, isBest }) => {
        run.appendMetrics(step, { 'validation/loss': loss });
        onNote(`step ${step}: validation loss ${loss.toFixed(4)}${isBest ? ', the lowest so far' : ''}`);
      },
    },
  };
}

function watching({
  run,
  signal,
  now,
  onStep,
}: TrainingPhaseOptions): Pick<SftOptions<PlainSequence>, 'clock' | 'onStep' | 'signal'> {
  return {
    signal,
    clock: now,
    onStep: ({ step, loss, gradientNorm, learningRate, tokens, readTokens, times = {} }) => {
      run.appendMetrics(step, {
        'train/loss': loss,
        'train/grad_norm': gradientNorm,
        'train/learning_rate': learningRate,
        'train/supervised_tokens': tokens,
        'train/tokens': readTokens,
        ...Object.fromEntries(Object.entries(times).map(([part, time]) => [`train/time/${part}`, time])),
      });
      onStep({ step, loss, tokens: readTokens });
    },
  };
}
