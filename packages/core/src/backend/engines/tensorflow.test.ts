// The tensorflow backend on this machine, where it is installed: one tfjs, no noise, right products.
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it, vi } from 'vitest';
import { startBackend } from '../start-backend.js';
import { tensorflowPlaces } from './tensorflow-places.js';

const installed = tensorflowPlaces().some(({ built, outdated }) => built && !outdated);

describe.skipIf(!installed)('tensorflow backend (skipped: `memgen backend install` was not run)', () => {
  it('starts quietly on the tfjs of this program', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const info = await startBackend({ backend: 'tensorflow', threads: 1 });
    await startBackend({ backend: 'tensorflow' });
    expect(warn).not.toHaveBeenCalled();
    expect(info).toMatchObject({ name: 'tensorflow', threads: 1 });
    expect(info.version).toMatch(/ on libtensorflow \d+\.\d+/);
    expect(tf.getBackend()).toBe('tensorflow');
    const tensor = tf.tensor1d([1, 2]);
    expect(tensor).toBeInstanceOf(tf.Tensor);
    expect(tf.getKernel('UnsortedSegmentSum', 'tensorflow')).toBeDefined();
    tensor.dispose();
    warn.mockRestore();
  });

  it('is not taken for one that computes on a GPU', async () => {
    const { device } = await startBackend({ backend: 'tensorflow' });
    const started = startBackend({ backend: 'tensorflow-gpu' });
    if (device === 'gpu') {
      await expect(started).resolves.toMatchObject({ name: 'tensorflow-gpu', device: 'gpu' });
      return;
    }
    const failure = await started.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'backend-start', message: expect.stringContaining('tensorflow-gpu') });
    expect(failure).toMatchObject({ hint: expect.stringContaining('memgen backend install --gpu') });
    const automatic = startBackend({ environment: { ...process.env, MEMGEN_BACKEND: '' } });
    await expect(automatic).resolves.toMatchObject({ name: 'tensorflow' });
  });

  it('multiplies plain matrices, batches and integers as the cpu backend does', async () => {
    const products = (): number[][] =>
      tf.tidy(() => {
        const a = tf.tensor(
          Float32Array.from({ length: 24 }, (_, index) => Math.sin(index)),
          [4, 6],
        );
        const b = tf.tensor(
          Float32Array.from({ length: 24 }, (_, index) => Math.cos(index)),
          [6, 4],
        );
        const results = [
          tf.matMul(a, b),
          tf.matMul(a, a, false, true),
          tf.matMul(a, a, true, false),
          tf.matMul(a, b, true, true),
          tf.matMul(a.reshape([2, 2, 6]), b.reshape([2, 6, 2])),
          tf.matMul(tf.cast(tf.mul(a, 9), 'int32'), tf.cast(tf.mul(b, 9), 'int32')),
        ];
        return results.map((result) => Array.from(result.dataSync()));
      });
    await startBackend({ backend: 'cpu' });
    const wanted = products();
    await startBackend({ backend: 'tensorflow' });
    const before = tf.memory().numTensors;
    const got = products();
    expect(tf.memory().numTensors).toBe(before);
    for (const [index, values] of wanted.entries()) {
      for (const [position, value] of values.entries()) expect(got[index]![position]).toBeCloseTo(value, 5);
    }
  });

  it('differentiates products and gathers', async () => {
    await startBackend({ backend: 'tensorflow' });
    const gradient = tf.tidy(() => {
      const x = tf.ones([2, 3]);
      return tf
        .grad((value: tf.Tensor) => tf.sum(tf.matMul(value, tf.ones([3, 4]))))(x)
        .arraySync();
    });
    expect(gradient).toEqual([
      [4, 4, 4],
      [4, 4, 4],
    ]);
  });
});
