// Group e: optimizer steps of weaver SFT, from losses to updated parameters.
import { accumulateGradients, AdamW, decaysByDefault, trainingLoss, type Gradients } from '@memgen/core';
import { runTrainingLoop, type StepGradients, type StepReport } from '@memgen/sft';
import type * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { nameOfOfficial, openWeaver, weavingModels, type GoldenWeaver } from '../golden-weaver.js';
import { pointColumns, wovenBatch, type WovenBatchRow } from '../woven-batch.js';
import { checksumSchema } from './checksum.js';
import { SftSteps } from './sft-steps.js';

const parameterGroup = z.object({
  weight_decay: z.number(),
  betas: z.tuple([z.number(), z.number()]),
  eps: z.number(),
  names: z.array(z.string()),
});
const meta = weavingModels.extend({
  config: z.object({ max_inference_aug_num: z.number() }),
  steps: z.number(),
  gradient_accumulation_steps: z.number(),
  peak_lr: z.number(),
  lr_scheduler: z.enum(['cosine', 'linear', 'constant']),
  warmup_steps: z.number(),
  max_grad_norm: z.number(),
  adamw_param_groups: z.array(parameterGroup).min(1),
  micro_batch_losses: z.array(z.number()),
  logged: z.array(z.object({ grad_norm: z.number(), learning_rate: z.number() })),
  augmentation_points: z.array(z.array(z.array(z.number()))),
  param_checksums_after_step: z.array(z.record(z.string(), checksumSchema)),
});
type SftMeta = z.infer<typeof meta>;

/** Runs our own training loop on the recorded batches. */
export async function checkSft(golden: GoldenCase, compare: Comparison): Promise<void> {
  const settings = await golden.json(meta, 'meta.json');
  const models = await openWeaver(golden, settings, await golden.tensors('initial.safetensors'));
  const batches = await microBatches(await golden.tensors('batches.safetensors'), settings, models);
  const trajectory = await golden.tensors('trajectory.safetensors');
  compare.exact('augmentation points', batches.map(pointColumns), settings.augmentation_points);
  checkDecay(settings, compare);

  const { betas, eps: epsilon } = settings.adamw_param_groups[0]!;
  const weightDecay = Math.max(...settings.adamw_param_groups.map((group) => group.weight_decay));
  const steps = golden.own(new SftSteps({ compare, models, trajectory, betas, epsilon }));
  const onGradients = (gradients: ReadonlyMap<tf.Variable, tf.Tensor>): void => {
    steps.takeClipped(gradients);
  };
  const optimizer = new WatchedAdamW(models.weaver.parameters(), { betas, epsilon, weightDecay, onGradients });
  golden.own(optimizer);

  const losses: number[] = [];
  const reports: StepReport[] = [];
  const perStep = settings.gradient_accumulation_steps;
  await runTrainingLoop({
    steps: settings.steps,
    schedule: { kind: settings.lr_scheduler, peak: settings.peak_lr, warmup: settings.warmup_steps },
    clipNorm: settings.max_grad_norm,
    optimizer,
    gradients: (step) => summedGradients(batches.slice(step * perStep, (step + 1) * perStep), models, losses),
    onStep: async (report) => {
      reports.push(report);
      await steps.check(report, settings.param_checksums_after_step[report.step - 1] ?? {});
    },
  });

  compare.numbers('losses', losses, settings.micro_batch_losses, tolerances.loss);
  const norms = reports.map((report) => report.gradientNorm);
  const wantedNorms = settings.logged.map((entry) => entry.grad_norm);
  compare.numbers('gradient norms', norms, wantedNorms, tolerances.gradient);
  const rates = reports.map((report) => report.learningRate);
  const wantedRates = settings.logged.map((entry) => entry.learning_rate);
  compare.numbers('learning rates', rates, wantedRates, tolerances.double);
}

async function microBatches(
  file: GoldenTensors,
  settings: SftMeta,
  { tokenizer }: GoldenWeaver,
): Promise<WovenBatchRow[][]> {
  const count = settings.steps * settings.gradient_accumulation_steps;
  const batches: WovenBatchRow[][] = [];
  for (let i = 0; i < count; i++) {
    const batch = {
      ids: await file.rows(`micro${i}.input_ids`),
      mask: await file.rows(`micro${i}.attention_mask`),
      labels: await file.rows(`micro${i}.labels`),
    };
    batches.push(wovenBatch(batch, { tokenizer, maxInferencePoints: settings.config.max_inference_aug_num }));
  }
  return batches;
}

/**
 * Gradients of a step as the reference accumulates them: the sum of each micro batch's mean. (Our trainer takes the mean
 * over all supervised tokens of the step.)
 * @param losses - the loss of each micro batch is added to it.
 */
async function summedGradients(
  batches: readonly WovenBatchRow[][],
  { reasoner, weaver }: GoldenWeaver,
  losses: number[],
): Promise<StepGradients> {
  const gradients: Gradients = new Map();
  const sum = { loss: 0, tokens: 0, readTokens: 0 };
  for (const rows of batches) {
    const part = await trainingLoss(reasoner, rows, { weaver });
    accumulateGradients(gradients, part.gradients);
    losses.push(part.loss);
    sum.loss += part.loss;
    sum.tokens += part.tokens;
    sum.readTokens += rows.reduce((total, { ids }) => total + ids.length, 0);
  }
  return { ...sum, gradients };
}

/** Shows each step's gradients, which the loop has clipped, before they are used. */
class WatchedAdamW extends AdamW {
  private readonly onGradients: (gradients: ReadonlyMap<tf.Variable, tf.Tensor>) => void;

  constructor(
    parameters: ReadonlyMap<string, tf.Variable>,
    { onGradients, ...options }: ConstructorParameters<typeof AdamW>[1] & { onGradients: WatchedAdamW['onGradients'] },
  ) {
    super(parameters, options);
    this.onGradients = onGradients;
  }

  override step(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, learningRate: number): void {
    this.onGradients(gradients);
    super.step(gradients, learningRate);
  }
}

/** Which parameters decay, by our default rule and by the recorded parameter groups. */
function checkDecay({ adamw_param_groups: groups }: SftMeta, compare: Comparison): void {
  if (groups.every((group) => group.weight_decay === 0)) return;
  const namesOf = (chosen: SftMeta['adamw_param_groups']) => chosen.flatMap(({ names }) => names.map(nameOfOfficial));
  const ours = namesOf(groups).filter((name) => decaysByDefault(name));
  compare.exact('parameters that decay', ours, namesOf(groups.filter((group) => group.weight_decay > 0)));
}
