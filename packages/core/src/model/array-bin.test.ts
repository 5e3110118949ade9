// What is dropped is gone; what a backend or somebody else still reads is not.
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { ArrayBin, upload } from './array-bin.js';

it('takes arrays at once', async () => {
  await startBackend({ backend: 'wasm' });
  const before = tf.memory().numTensors;
  const bin = await ArrayBin.open();
  const values = Float32Array.of(1, 2);
  bin.drop(values);
  expect(values.length).toBe(0);
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

it.each(['wasm', 'cpu', 'tensorflow'] as const)('leaves what the %s backend still reads', async (backend) => {
  const started = await startBackend({ backend }).then(
    () => true,
    () => false,
  );
  if (!started) return;
  const bin = await ArrayBin.open();
  for (let i = 0; i < 40; i++) {
    // Sizes as small as norms, whose arrays may begin anywhere, and as large as matrices.
    const length = 2 ** (4 + (i % 18));
    const values = (i % 2 === 0 ? new Float32Array(length) : ArrayBin.array(length)).fill(i);
    const tensor = tf.tensor1d(values);
    upload(tensor);
    bin.dropUploaded(values, tensor);
    const others = Array.from({ length: 4 }, () => new Float32Array(length).fill(-1));
    const range = [tf.min(tensor), tf.max(tensor)];
    expect(range.map((limit) => limit.dataSync()[0])).toEqual([i, i]);
    expect(others.every((array) => array[0] === -1)).toBe(true);
    if (backend !== 'cpu' && i % 2 === 1) expect(values.length).toBe(0);
    tf.dispose([tensor, ...range]);
  }
  bin.close();
});
