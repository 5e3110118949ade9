// What both kinds of GRPO cases record: rewards, advantages, and the losses, metrics and gradients of each configuration.
import { groupAdvantages, type ObjectiveMetrics, type ObjectiveOptions } from '@memgen/grpo';
import type { ArrayWithShape } from '@memgen/core';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { loraSettings } from '../golden-weaver.js';

/** Settings that both trainers have. */
export const grpoSettings = z.object({
  reasoner: z.string(),
  lora: loraSettings,
  temperature: z.number(),
  scale_rewards: z.boolean(),
  epsilon_low: z.number(),
  epsilon_high: z.number(),
  num_generations: z.number(),
  max_completion_length: z.number(),
  results: z.record(z.string(), z.object({ loss: z.number(), metrics: z.record(z.string(), z.number()) })),
});

type GrpoSettings = z.infer<typeof grpoSettings>;

/** One configuration of the objective that was recorded. */
export interface RecordedObjective {
  /** Its name, e.g. `dr_grpo_beta0.04_old`. */
  name: string;
  options: ObjectiveOptions;
  /** Whether the probabilities of the policy that acted were given. */
  hasOld: boolean;
}

/** The recorded configurations; one whose name is not understood is a failure. */
export function recordedObjectives(settings: GrpoSettings, compare: Comparison): RecordedObjective[] {
  return Object.keys(settings.results).flatMap((name) => {
    const found = /^(grpo|bnpo|dr_grpo)_beta([\d.]+)_(old|noold)$/.exec(name);
    if (found === null) {
      compare.fail(name, 'this configuration is not known');
      return [];
    }
    const options: ObjectiveOptions = {
      lossType: found[1] as 'grpo' | 'bnpo' | 'dr_grpo',
      beta: Number(found[2]),
      epsilon: settings.epsilon_low,
      epsilonHigh: settings.epsilon_high,
      maxCompletionLength: settings.max_completion_length,
    };
    return [{ name, options, hasOld: found[3] === 'old' }];
  });
}

/** Advantages of the recorded rewards. */
export async function checkAdvantages(
  settings: GrpoSettings,
  io: GoldenTensors,
  compare: Comparison,
): Promise<Float64Array> {
  const { advantages } = groupAdvantages(await io.floats('rewards'), {
    groupSize: settings.num_generations,
    scaleRewards: settings.scale_rewards ? 'group' : 'none',
  });
  compare.numbers('advantages', advantages, await io.floats('advantages'), tolerances.stored);
  return advantages;
}

export interface ObjectiveResult {
  loss: number;
  metrics: ObjectiveMetrics;
  /** By official name, in the layout of files. */
  gradients: ReadonlyMap<string, ArrayWithShape>;
}

export interface ObjectiveComparison {
  settings: GrpoSettings;
  compare: Comparison;
  name: string;
  /** Holds what was recorded as `<name>.grad.<official name>`. */
  want: GoldenTensors;
  got: ObjectiveResult;
}

/** Loss, metrics and every gradient that was recorded of one configuration. */
export async function compareObjective({ settings, compare, name, want, got }: ObjectiveComparison): Promise<void> {
  const recorded = settings.results[name]!;
  compare.numbers(`loss of ${name}`, [got.loss], [recorded.loss], tolerances.loss);
  const metrics: Record<string, number | undefined> = { ...got.metrics };
  for (const [metric, value] of Object.entries(recorded.metrics)) {
    const found = metrics[metric];
    if (found === undefined) compare.fail(`${metric} of ${name}`, 'there is no such metric');
    else compare.numbers(`${metric} of ${name}`, [found], [value], tolerances.loss);
  }
  const prefix = `${name}.grad.`;
  const names = want.names.filter((full) => full.startsWith(prefix)).map((full) => full.slice(prefix.length));
  if (names.length === 0) compare.fail(`gradients of ${name}`, 'none are recorded');
  for (const official of names) {
    const label = `gradient of ${official}, ${name}`;
    const found = got.gradients.get(official);
    if (found === undefined) compare.fail(label, 'there is no gradient');
    else compare.numbers(label, found.data, await want.floats(prefix + official), tolerances.gradient);
  }
}

/** Of a padded table `[rows, columns]`, the values whose mask is 1, row by row. */
export function maskedRows(table: Float32Array, mask: readonly (readonly number[])[]): Float32Array[] {
  const width = mask[0]!.length;
  return mask.map((row, b) =>
    Float32Array.from(row.flatMap((counts, t) => (counts === 1 ? [table[b * width + t]!] : []))),
  );
}

/** Rows one after the other. */
export function joined(rows: readonly ArrayLike<number>[]): number[] {
  return rows.flatMap((row) => Array.from(row));
}
