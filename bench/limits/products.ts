// What a backend can do at best: a large product for arithmetic, a matrix-vector product for reading weights.
import { Random } from '@memgen/common';
import { startBackend } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { Reporter } from '../frame/reporter.js';
import { repeated, seconds } from '../frame/measure.js';
import type { JobSettings } from '../frame/suite.js';

export async function run({ backend, quick, dtype }: JobSettings, reporter: Reporter): Promise<void> {
  await startBackend({ backend });
  const repetitions = quick ? 1 : 3;
  await reporter.attempt('a large product', async () => {
    const [m, k, n] = [512, 2048, 2048];
    const samples = await productSamples([m, k, n], repetitions, backend === 'cpu' ? 1 : 4);
    const operations = 2 * m * k * n;
    reporter.figure({
      measure: 'matmul', unit: 'GFLOP/s', backend, dtype, samples: samples.map((time) => operations / time / 1e9),
    }); // prettier-ignore
  });
  // The cpu backend is bound by its arithmetic in everything.
  if (backend === 'cpu') return;
  await reporter.attempt('a matrix-vector product', async () => {
    const [k, n] = [2048, 65_536];
    const samples = await productSamples([1, k, n], repetitions, 4);
    reporter.figure({
      measure: 'bandwidth-product', unit: 'GB/s', backend, dtype, samples: samples.map((time) => (4 * k * n) / time / 1e9),
    }); // prettier-ignore
  });
}

/** Seconds of one product `[m, k] x [k, n]`. */
async function productSamples(
  [m, k, n]: readonly [number, number, number],
  repetitions: number,
  times: number,
): Promise<number[]> {
  const random = Random.fromSeed(1);
  const row = Float32Array.from({ length: n }, () => random.float() - 0.5);
  const values = new Float32Array(k * n);
  for (let i = 0; i < k; i++) values.set(row, i * n);
  const b = tf.tensor2d(values, [k, n]);
  const a = tf.tensor2d(
    Float32Array.from({ length: m * k }, () => random.float() - 0.5),
    [m, k],
  );
  const samples = await repeated(repetitions, async () => {
    const taken = await seconds(() => {
      tf.tidy(() => {
        let product = tf.matMul(a, b);
        for (let i = 1; i < times; i++) product = tf.tidy(() => tf.matMul(a, b));
        // Backends may compute later: one small read at the end makes sure that all are done.
        tf.slice(product, [0, 0], [1, 1]).dataSync();
      });
    });
    return taken / times;
  });
  tf.dispose([a, b]);
  return samples;
}
