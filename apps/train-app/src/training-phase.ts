// The training phase of an experiment: rows, progress, metrics, checkpoints.
import { setImmediate } from 'node:timers/promises';
import { MemGenError, replaceFolder } from '@memgen/common';
import {
  evaluationLoss,
  prepareRow,
  saveMemGen,
  type ChatTemplate,
  type Reasoner,
  type Weaver,
  type WovenRow,
} from '@memgen/core';
import { pruneCheckpoints, type RunFolder } from '@memgen/runs';
import { loadTrainingState, saveTrainingState, trainWeaver, weaverSftSteps, type StepReport } from '@memgen/sft';
import type { Experiment } from './config/load-experiment.js';
import type { TrainingExample } from './tasks/task.js';

export interface TrainingPhaseOptions {
  experiment: Experiment;
  reasoner: Reasoner;
  weaver: Weaver;
  template: ChatTemplate;
  examples: readonly TrainingExample[];
  validation: readonly WovenRow[];
  run: RunFolder;
  /** Folder of the checkpoint to go on from. */
  resumeFrom?: string | undefined;
  signal: AbortSignal;
  onStart: (steps: number, firstStep: number) => void;
  onStep: (report: StepReport) => void;
  onNote: (text: string) => void;
  /** Milliseconds; for the period of checkpoints. */
  now: () => number;
}

/** Encodes examples; those whose prompt fills the limit are left out, and counted. */
export function prepareRows(
  examples: readonly TrainingExample[],
  { reasoner, template, experiment }: Pick<TrainingPhaseOptions, 'reasoner' | 'template' | 'experiment'>,
): { rows: WovenRow[]; leftOut: number } {
  const { maxLength } = experiment.training;
  const rows: WovenRow[] = [];
  for (const { name, messages } of examples) {
    try {
      rows.push(
        prepareRow(messages, {
          tokenizer: reasoner.tokenizer,
          template,
          maxLength,
          maxInferencePoints: experiment.weaver.maxInferenceAugNum,
          name,
        }),
      );
    } catch (error) {
      // As in the reference: a prompt that is not shorter than the limit leaves nothing to learn.
      if (MemGenError.isInstance(error) && error.code === 'labels-empty' && messages.some(isAnswer)) continue;
      throw error;
    }
  }
  return { rows, leftOut: examples.length - rows.length };
}

function isAnswer(message: TrainingExample['messages'][number]): boolean {
  return message.role === 'assistant' && message.content.trim() !== '';
}

/** Trains, writing metrics and checkpoints; returns the steps done and whether that is all of them. */
export async function runTrainingPhase(options: TrainingPhaseOptions): Promise<{ step: number; complete: boolean }> {
  const { experiment, reasoner, weaver, run, signal, resumeFrom, validation, now } = options;
  const settings = experiment.training;
  const { rows, leftOut } = prepareRows(options.examples, options);
  if (leftOut > 0) options.onNote(`${leftOut} rows were left out: their prompts fill the ${settings.maxLength} tokens`);
  const size = {
    batchSize: settings.batchSize,
    gradientAccumulation: settings.gradientAccumulation,
  };
  const perEpoch = weaverSftSteps(rows.length, { ...size, epochs: 1 });
  const steps = Math.min(settings.maxSteps ?? Infinity, Math.ceil(perEpoch * settings.epochs));
  const resume = resumeFrom === undefined ? undefined : await loadTrainingState(resumeFrom);
  options.onStart(steps, resume?.step ?? 0);

  let lastSave = now();
  const evaluateEvery = settings.evaluateEverySteps ?? perEpoch;
  return trainWeaver(reasoner.decoder, weaver, rows, {
    ...size,
    steps,
    seed: experiment.seed,
    shuffle: !(experiment.data.task === 'tiny-shop' && experiment.data.curriculum),
    schedule: {
      kind: settings.schedule,
      peak: settings.learningRate,
      floor: settings.minLearningRateRatio,
      warmup: Math.min(steps, settings.warmupSteps ?? Math.ceil(settings.warmupRatio * steps)),
    },
    adamW: {
      betas: settings.betas,
      epsilon: settings.epsilon,
      weightDecay: settings.weightDecay,
      rates: (name) => (name === 'weaver_to_reasoner.weight' ? settings.latentProjectionRate : 1),
    },
    clipNorm: settings.clipNorm,
    gradientCheckpointing: settings.gradientCheckpointing,
    signal,
    ...(resume !== undefined && { resume }),
    onStep: async (report) => {
      const { step, loss, gradientNorm, learningRate, tokens, readTokens } = report;
      run.appendMetrics(step, {
        'train/loss': loss,
        'train/grad_norm': gradientNorm,
        'train/learning_rate': learningRate,
        'train/supervised_tokens': tokens,
        'train/tokens': readTokens,
      });
      options.onStep(report);
      if (validation.length > 0 && step < steps && step % evaluateEvery === 0) {
        const validated = await validationLoss(reasoner, validation, { batchSize: settings.batchSize, weaver, signal });
        if (validated === undefined) return;
        run.appendMetrics(step, { 'validation/loss': validated });
        options.onNote(`step ${step}: validation loss ${validated.toFixed(4)}`);
      }
    },
    checkpoint: {
      due: (step) =>
        step % (settings.checkpointEverySteps ?? Infinity) === 0 ||
        now() - lastSave >= settings.checkpointEverySeconds * 1000,
      save: async (step, optimizer) => {
        await replaceFolder(run.checkpointPath(step), async (folder) => {
          await saveMemGen(folder, {
            reasoner: reasoner.origin,
            weaver,
            generation: { maxInferencePoints: experiment.weaver.maxInferenceAugNum },
          });
          await saveTrainingState(folder, step, optimizer);
        });
        lastSave = now();
        await pruneCheckpoints(run.path, settings.keepCheckpoints);
      },
    },
  });
}

/** Mean loss per supervised token; undefined when interrupted. Lets other work of the process go on between batches. */
export async function validationLoss(
  reasoner: Reasoner,
  rows: readonly WovenRow[],
  options: {
    batchSize: number;
    weaver: Weaver | undefined;
    signal?: AbortSignal;
    onProgress?: (done: number) => void;
  },
): Promise<number | undefined> {
  const { batchSize, weaver, signal, onProgress } = options;
  let loss = 0;
  let tokens = 0;
  for (let start = 0; start < rows.length; start += batchSize) {
    await setImmediate();
    if (signal?.aborted === true) return undefined;
    const batch = rows.slice(start, start + batchSize);
    const part = evaluationLoss(
      reasoner.decoder,
      weaver === undefined ? batch.map((row) => ({ ...row, points: [] })) : batch,
      weaver,
    );
    loss += part.loss * part.tokens;
    tokens += part.tokens;
    onProgress?.(start + batch.length);
  }
  return loss / tokens;
}
