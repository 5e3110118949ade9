import { Random } from '@memgen/common';
import { AdamW, startBackend, type AdamWOptions } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Comparison, limitOf, tolerances } from '../compare.js';
import { AdamWTolerance } from './adamw-tolerance.js';

const size = 200;
const rates = [0, 1e-3, 8e-4, 3e-4];

beforeAll(() => startBackend({ backend: 'cpu' }));

/** Gradients of every size, from plain ones to float32 noise around zero. */
function gradientsOf(seed: number): Float32Array[] {
  const random = Random.fromSeed(seed);
  return rates.map(() => Float32Array.from({ length: size }, () => random.normal() * 10 ** (-6 * random.float() - 1)));
}

/** Parameters after the steps; all start at 1. */
async function train(gradients: readonly Float32Array[], options: AdamWOptions = {}): Promise<Float32Array> {
  const parameter = tf.tidy(() => tf.variable(tf.ones([size])));
  const optimizer = new AdamW(new Map([['x', parameter]]), options);
  gradients.forEach((gradient, step) => {
    tf.tidy(() => {
      optimizer.step(new Map([[parameter, tf.tensor1d(gradient)]]), rates[step]!);
    });
  });
  const values = Float32Array.from(await parameter.data());
  optimizer.dispose();
  parameter.dispose();
  return values;
}

function failures(got: Float32Array, want: Float32Array, gradients: readonly Float32Array[]): number {
  const tolerance = new AdamWTolerance({ betas: [0.9, 0.999], epsilon: 1e-8 });
  gradients.forEach((data, step) => {
    tolerance.step(new Map([['x', { data }]]), rates[step]!);
  });
  const compare = new Comparison();
  compare.numbers('x', got, want, tolerance.limits('x', want));
  return compare.failures.length;
}

describe('AdamWTolerance', () => {
  it.each([1, 2, 3])('accepts what gradients within their tolerance lead to (seed %i)', async (seed) => {
    const gradients = gradientsOf(seed);
    const random = Random.fromSeed(seed + 100);
    // To first order the bound is tight, so the disturbance is half of what is allowed.
    const disturbed = gradients.map((gradient) =>
      gradient.map((value) => value + 0.5 * (2 * random.float() - 1) * limitOf(tolerances.gradient, value)),
    );
    expect(failures(await train(disturbed), await train(gradients), gradients)).toBe(0);
    const signsOnly = gradients.map((gradient) => gradient.map((value) => (Math.abs(value) < 4e-6 ? -value : value)));
    expect(failures(await train(signsOnly), await train(gradients), gradients)).toBe(0);
  });

  it.each([
    ['another first moment', { betas: [0.8, 0.999] }],
    ['another second moment', { betas: [0.9, 0.9] }],
    ['another epsilon', { epsilon: 1e-4 }],
    ['weight decay', { weightDecay: 0.1 }],
  ] satisfies [string, AdamWOptions][])('notices %s', async (_, options) => {
    const gradients = gradientsOf(4);
    expect(failures(await train(gradients, options), await train(gradients), gradients)).toBe(1);
  });

  it('notices a step that was left out', async () => {
    const gradients = gradientsOf(5);
    expect(failures(await train(gradients.slice(0, -1)), await train(gradients), gradients)).toBe(1);
  });

  it('lets a parameter without gradients only round', () => {
    const limits = new AdamWTolerance({ betas: [0.9, 0.999], epsilon: 1e-8 }).limits('y', [0, 3]);
    expect([...limits]).toEqual([1e-6, 1e-6 + 3e-6]);
  });
});
