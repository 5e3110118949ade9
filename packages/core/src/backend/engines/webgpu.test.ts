// The webgpu backend where an adapter answers, a software one too: right results, clear refusals.
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../model/tiny-decoder.test-helper.js';
import { startBackend } from '../start-backend.js';

const withoutLeave = await startBackend({ backend: 'webgpu', environment: {} }).catch((error: unknown) => error);
const environment = { ...process.env, MEMGEN_WEBGPU_SOFTWARE: '1' };
const started = await startBackend({ backend: 'webgpu', environment }).catch(() => undefined);

function numbers(shape: number[], seed: number): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed)),
    shape,
  );
}

/** Everything is computed before the first read, as in a queue of a GPU. */
async function valuesOf(make: () => tf.Tensor[]): Promise<number[][]> {
  const before = tf.memory().numTensors;
  const results = tf.tidy(make);
  const values = await Promise.all(results.map(async (result) => [...result.shape, ...(await result.data())]));
  tf.dispose(results);
  expect(tf.memory().numTensors).toBe(before);
  return values;
}

describe.skipIf(started === undefined)('webgpu backend (skipped: no adapter answers)', () => {
  it('takes a software adapter only with leave', () => {
    if (started!.device === 'gpu') expect(withoutLeave).toMatchObject({ name: 'webgpu', device: 'gpu' });
    else expect(withoutLeave).toMatchObject({ code: 'backend-start', got: expect.stringContaining('software') });
  });

  it('starts again as it is', async () => {
    const { version, device } = await startBackend({ backend: 'webgpu', environment: {} });
    expect({ version, device }).toEqual({ version: started!.version, device: started!.device });
  });

  it('computes what tfjs gets wrong: long sums, negative axes, products over nothing', async () => {
    const make = (): tf.Tensor[] => [
      tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])),
      tf.matMul(tf.zeros([3, 4, 0]), tf.zeros([1, 5, 0]), false, true),
      ...[2, 7, 8, 14, 15, 30].map((count) => tf.addN(Array.from({ length: count }, (_, i) => numbers([2, 5], i)))),
      tf.cumsum(numbers([2, 3, 4], 1), -1),
      tf.cumprod(numbers([2, 3, 4], 1), -2, true, true),
      tf.matMul(numbers([2, 3, 4], 1), numbers([1, 5, 4], 2), false, true),
    ];
    await startBackend({ backend: 'cpu' });
    const wanted = await valuesOf(make);
    await startBackend({ backend: 'webgpu', environment });
    const got = await valuesOf(make);
    expect(got.map((values) => values.length)).toEqual(wanted.map((values) => values.length));
    wanted.forEach((values, k) => {
      values.forEach((value, i) => {
        expect(got[k]![i], `result ${k}, element ${i}`).toBeCloseTo(value, 5);
      });
    });
  });

  it('hands out values asynchronously, and says so where they are asked for at once', async () => {
    await startBackend({ backend: 'webgpu', environment });
    // tfjs adds small tensors in memory, but does not multiply matrices there.
    const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])));
    expect(() => product.dataSync()).toThrow(expect.objectContaining({ code: 'webgpu-read' }));
    await expect(product.data()).resolves.toEqual(Float32Array.from([11]));
    // Values that tfjs has in memory are there at once.
    const given = tf.tensor1d([4, 5]);
    expect([...given.dataSync()]).toEqual([4, 5]);
    tf.dispose([product, given]);
  });

  it('reads a model as the cpu backend does', async () => {
    const logits = async (): Promise<number[]> => {
      const before = tf.memory().numTensors;
      const decoder = await frozenDecoder(tinyConfig());
      const cache = decoder.createCache(2);
      const result = tf.tidy(() => {
        const mask = [[0, 1, 1], [1, 1, 1]]; // prettier-ignore
        return decoder.logits(decoder.forward(decoder.embed([0, 4, 5, 6, 7, 8]), mask, { cache }));
      });
      const values = [...(await result.data())];
      tf.dispose(result);
      cache.dispose();
      decoder.dispose();
      expect(tf.memory().numTensors).toBe(before);
      return values;
    };
    await startBackend({ backend: 'cpu' });
    const wanted = await logits();
    await startBackend({ backend: 'webgpu', environment });
    const got = await logits();
    // The first column of the first row is padding.
    for (let i = 32; i < wanted.length; i++) expect(got[i]).toBeCloseTo(wanted[i]!, 4);
  });
});
