// What is dropped is gone; what a backend or somebody else still reads is not.
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { ArrayBin, upload } from './array-bin.js';

it('takes arrays at once, but for parts of larger buffers', async () => {
  await startBackend({ backend: 'wasm' });
  const before = tf.memory().numTensors;
  const bin = await ArrayBin.open();
  const whole = Float32Array.of(1, 2);
  const part = Float32Array.of(1, 2, 3).subarray(1);
  bin.drop(whole);
  bin.drop(part);
  expect([whole.length, ...part]).toEqual([0, 2, 3]);
  bin.close();
  expect(tf.memory().numTensors).toBe(before);
});

it('gives the memory back without a garbage collection', async () => {
  await startBackend({ backend: 'wasm' });
  const bin = await ArrayBin.open();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 20; i++) bin.drop(new Float32Array(2 ** 24).fill(1));
  expect(process.memoryUsage().rss - before).toBeLessThan(5 * 2 ** 26);
  bin.close();
});

it.each([
  ['wasm', 0],
  ['cpu', 2],
] as const)('leaves what the %s backend still reads', async (backend, length) => {
  await startBackend({ backend });
  const bin = await ArrayBin.open();
  const values = Float32Array.of(3, 4);
  const tensor = tf.tensor1d(values);
  upload(tensor);
  bin.dropUploaded(values);
  expect(values.length).toBe(length);
  expect([...(await tensor.data())]).toEqual([3, 4]);
  tensor.dispose();
  bin.close();
});
