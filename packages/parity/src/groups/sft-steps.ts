// What is recorded of single optimizer steps: clipped gradients, parameters, checksums.
import type { StepReport } from '@memgen/sft';
import type { ArrayWithShape } from '@memgen/core';
import { readWeaverTensors } from '@memgen/weaver';
import type * as tf from '@tensorflow/tfjs';
import type { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenTensors } from '../golden-tensors.js';
import type { GoldenWeaver } from '../golden-weaver.js';
import { AdamWTolerance } from './adamw-tolerance.js';
import { checksum, checksumLimits, type checksumSchema } from './checksum.js';

export interface SftStepsOptions {
  compare: Comparison;
  models: GoldenWeaver;
  /** `step<i>.<name>` and `clipped_grad<i>.<name>`, for some of the steps. */
  trajectory: GoldenTensors;
  betas: readonly [number, number];
  epsilon: number;
}

/** Checks the steps in their order. Owns copies of the latest gradients. */
export class SftSteps {
  private readonly tolerance: AdamWTolerance;
  private readonly clipped = new Map<string, tf.Tensor>();

  constructor(private readonly options: SftStepsOptions) {
    this.tolerance = new AdamWTolerance(options);
  }

  /** Copies the gradients that the optimizer is about to use. */
  takeClipped(gradients: ReadonlyMap<tf.Variable, tf.Tensor>): void {
    this.dispose();
    for (const [name, variable] of this.options.models.weaver.parameters()) {
      const gradient = gradients.get(variable);
      if (gradient !== undefined) this.clipped.set(name, gradient.clone());
    }
  }

  /** Compares what is recorded of the step that has just been done. */
  async check(
    { step, learningRate }: StepReport,
    checksums: Readonly<Record<string, z.infer<typeof checksumSchema>>>,
  ): Promise<void> {
    const { compare, models, trajectory } = this.options;
    const gradients = await readWeaverTensors(this.clipped);
    const values = await readWeaverTensors(models.weaver.parameters());
    this.tolerance.step(gradients, learningRate);
    for (const [name, official] of models.officialNames) {
      const gradient = `clipped_grad${step}.${official}`;
      if (trajectory.has(gradient)) {
        const want = await trajectory.floats(gradient);
        compare.numbers(`clipped gradient ${step} of ${name}`, dataOf(gradients, name), want, tolerances.gradient);
      }
      const got = dataOf(values, name);
      const limits = this.tolerance.limits(name, got);
      const parameter = `step${step}.${official}`;
      if (trajectory.has(parameter)) {
        compare.numbers(`${name} after step ${step}`, got, await trajectory.floats(parameter), limits);
      }
      const sums = checksums[official];
      if (sums !== undefined) {
        const want = [sums.sum, sums.abs_sum, sums.sq_sum, ...sums.first, ...sums.last];
        compare.numbers(`checksum of ${name} after step ${step}`, checksum(got), want, checksumLimits(got, limits));
      }
    }
  }

  dispose(): void {
    for (const gradient of this.clipped.values()) gradient.dispose();
    this.clipped.clear();
  }
}

function dataOf(tensors: ReadonlyMap<string, ArrayWithShape>, name: string): Float32Array {
  return tensors.get(name)?.data ?? new Float32Array();
}
