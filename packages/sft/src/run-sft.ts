// Supervised training of any model over fixed rows: order, accumulation, evaluation, checkpoints, resuming.
import { createHash } from 'node:crypto';
import { MemGenError, Random } from '@memgen/common';
import { AdamW, type Optimizer, type PlainSequence } from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';
import { CheckpointFolder } from './checkpoint-folder.js';
import { DataOrder } from './data-order.js';
import { Evaluator } from './evaluation.js';
import { checkSftOptions, sftSteps, type SftOptions, type SftOutcome } from './sft-options.js';
import { stepGradients } from './step-gradients.js';
import { supervisedTokens, type SupervisedModel } from './supervised-model.js';
import { runTrainingLoop, type TrainingLoopOptions } from './training-loop.js';
import type { TrainingProgress } from './training-progress.js';
import { loadTrainingState, restoreValues, saveTrainingState } from './training-state.js';

/**
 * Trains the model's parameters in place. With the same seed, rows and backend the result is the same to the bit,
 * interrupted or not.
 * @throws MemGenError `sft-options`, `data-empty`, `labels-empty` (a row with nothing to learn), `loss-not-finite`,
 * `training-state` (a checkpoint of other rows, settings or parameters), `disk-full` and others of writing.
 */
export async function runSft<Row extends PlainSequence>(
  model: SupervisedModel<Row>,
  rows: readonly Row[],
  options: SftOptions<Row> = {},
): Promise<SftOutcome> {
  const { batchSize = 4, gradientAccumulation = 1, seed = 0, shuffle = true, evaluation, signal } = options;
  checkSftOptions(options);
  const random = Random.fromSeed(seed);
  const order = new DataOrder({
    rows: rows.length,
    batchSize: batchSize * gradientAccumulation,
    random: random.fork('data order'),
    shuffle,
  });
  requireLabels(rows, 'row');
  requireLabels(evaluation?.rows ?? [], 'evaluation row');
  const steps = sftSteps(rows.length, options);
  const parameters = model.parameters();
  const optimizer = options.optimizer?.(parameters) ?? new AdamW(parameters, options.adamW);
  try {
    const folder = options.checkpoints && new CheckpointFolder(options.checkpoints);
    const settings = folder && runSettings(rows, options);
    const newest = await folder?.open();
    const resume = newest === undefined ? options.resume : await loadTrainingState(newest.path);
    if (newest !== undefined) requireSameSettings(settings!, resume?.settings, newest.path);
    if (resume?.values !== undefined && resume.values.size > 0) restoreValues(resume.values, parameters);
    if (resume !== undefined) optimizer.importState(resume.optimizerState);

    const { stepsPerEpoch } = order;
    const state = resume?.evaluation;
    const evaluator =
      evaluation && new Evaluator({ model, evaluation, steps, stepsPerEpoch, batchSize, signal, state });
    const progress = (): TrainingProgress => ({
      ...(evaluator?.state !== undefined && { evaluation: evaluator.state }),
      ...(settings !== undefined && { settings }),
    });
    const outcome = await runTrainingLoop({
      steps,
      firstStep: resume?.step ?? 0,
      schedule: options.schedule ?? { kind: 'cosine', peak: 1e-5, warmup: Math.ceil(0.1 * steps) },
      optimizer,
      gradients: (step, timer) => {
        const chosen = order.batch(step);
        return stepGradients(
          model,
          chosen.map((index) => rows[index]!),
          {
            ...pick(options, 'accumulation', 'gradientCheckpointing'),
            batchSize,
            dropoutSeed: (start) => random.fork(`dropout ${step} ${start}`).uint32(),
            names: chosen,
            timer,
          },
        );
      },
      evaluation: evaluator,
      checkpoint: saving({ model, options, folder, parameters, optimizer, progress }),
      ...pick(options, 'clipNorm', 'onStep', 'signal', 'clock'),
    });

    const best = evaluator?.state?.best;
    if (best === undefined) return outcome;
    const path = folder?.path(best.step);
    if (evaluation?.restoreBest === true && outcome.complete && path !== undefined) {
      restoreValues((await loadTrainingState(path)).values, parameters);
    }
    return { ...outcome, best: { ...best, ...(path !== undefined && { path }) } };
  } finally {
    optimizer.dispose();
  }
}

interface SavingOptions<Row extends PlainSequence> {
  model: SupervisedModel<Row>;
  options: SftOptions<Row>;
  folder: CheckpointFolder | undefined;
  parameters: ReadonlyMap<string, tf.Variable>;
  optimizer: Optimizer;
  progress: () => TrainingProgress;
}

/** How the loop saves: into the folder of checkpoints, or as the caller wants it. */
function saving<Row extends PlainSequence>({
  model,
  options: { checkpoint, checkpoints },
  folder,
  parameters,
  optimizer,
  progress,
}: SavingOptions<Row>): TrainingLoopOptions['checkpoint'] {
  if (folder === undefined) {
    return (
      checkpoint && { due: checkpoint.due, save: (step) => checkpoint.save(step, optimizer, parameters, progress()) }
    );
  }
  return {
    due: (step) => folder.due(step),
    save: async (step) => {
      const state = progress();
      const write = async (path: string): Promise<void> => {
        await saveTrainingState(path, step, optimizer, parameters, state);
        if (checkpoints?.write !== undefined) await checkpoints.write(path, step);
        else await model.save(path);
      };
      await folder.save(step, write, state.evaluation?.best.step);
    },
  };
}

/** What decides which rows a step sees, what it makes of them and what it is measured on. */
function runSettings<Row extends PlainSequence>(
  rows: readonly Row[],
  {
    batchSize = 4,
    gradientAccumulation = 1,
    accumulation = 'token-mean',
    seed = 0,
    shuffle = true,
    evaluation,
  }: SftOptions<Row>,
): Record<string, string> {
  const settings = {
    batchSize,
    gradientAccumulation,
    accumulation,
    seed,
    shuffle,
    rows: hashRows(rows),
    'evaluation.rows': evaluation === undefined ? 'none' : hashRows(evaluation.rows),
  };
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}

function hashRows(rows: readonly PlainSequence[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(JSON.stringify(row));
  return hash.digest('hex');
}

function requireSameSettings(
  ours: Readonly<Record<string, string>>,
  saved: Readonly<Record<string, string>> = {},
  where: string,
): void {
  const other = Object.keys(ours).find((name) => ours[name] !== saved[name]);
  if (other === undefined) return;
  throw new MemGenError({
    code: 'training-state',
    where,
    message: 'the checkpoint was made with other rows or settings: going on would not give the result of one whole run',
    got: `${other} ${saved[other] ?? 'unknown'}`,
    expected: `${other} ${ours[other]!}`,
    hint: 'go on with the same rows and settings, or train in another folder',
  });
}

function requireLabels(rows: readonly PlainSequence[], name: string): void {
  const empty = rows.findIndex((row) => supervisedTokens(row) === 0);
  if (empty < 0) return;
  throw new MemGenError({
    code: 'labels-empty',
    where: `${name} ${empty}`,
    message: 'the row has no supervised token, so there is nothing to learn from it',
    hint: 'leave it out, or check its labels: -100 masks a token',
  });
}

/** The named options that are given. */
function pick<T extends object, K extends keyof T>(options: T, ...names: K[]): Pick<T, K> {
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]])) as Pick<T, K>; // prettier-ignore
}
