// Every kernel that we replace on the wasm backend gives what the plain JavaScript backend gives, and leaks nothing.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../start-backend.js';
import { registerWasmKernels } from './register.js';

function numbers(shape: number[], seed = 1): tf.Tensor {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, index) =>
    Math.sin(index * 1.7 + seed),
  );
  return tf.tensor(values, shape);
}

function integers(values: number[]): tf.Tensor1D {
  return tf.tensor1d(values, 'int32');
}

interface Result {
  shape: number[];
  dtype: string;
  values: number[];
}

async function on(backend: 'cpu' | 'wasm', work: () => tf.Tensor): Promise<Result> {
  await startBackend({ backend });
  const before = tf.memory().numTensors;
  const result = tf.tidy(work);
  const values = Array.from(result.dataSync());
  const { shape, dtype } = result;
  result.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return { shape, dtype, values };
}

const cases: Record<string, () => tf.Tensor> = {
  'tile along the last axis': () => tf.tile(numbers([3, 2]), [1, 3]),
  'tile along the first axis': () => tf.tile(numbers([3, 2]), [5, 1]),
  'tile along all axes': () => tf.tile(numbers([2, 3, 1, 2]), [3, 2, 4, 1]),
  'tile by ones': () => tf.tile(numbers([2, 3]), [1, 1]),
  'tile to nothing': () => tf.tile(numbers([2, 3]), [1, 0]),
  'tile integers': () => tf.tile(integers([1, 2, 3]), [4]),
  'tile truth values': () => tf.tile(tf.tensor1d([true, false, true], 'bool'), [3]),
  broadcastTo: () => tf.broadcastTo(numbers([2, 1, 3]), [4, 2, 5, 3]),
  'gather rows': () => tf.gather(numbers([7, 16]), integers([6, 0, 0, 3])),
  'gather along the middle axis': () => tf.gather(numbers([2, 5, 16]), integers([4, 4, 1]), 1),
  'gather along a negative axis': () => tf.gather(numbers([2, 5, 16]), integers([4, 4, 1]), -2),
  'gather by a matrix of indices': () =>
    tf.gather(
      numbers([7, 16]),
      tf.tensor2d(
        [
          [1, 2],
          [3, 6],
        ],
        [2, 2],
        'int32',
      ),
    ),
  'gather single elements': () => tf.gather(numbers([7]), integers([6, 0, 0, 3])),
  'gather with batch dimensions': () =>
    tf.gather(
      numbers([2, 5, 16]),
      tf.tensor2d(
        [
          [1, 2],
          [3, 4],
        ],
        [2, 2],
        'int32',
      ),
      1,
      1,
    ),
  'gather nothing': () => tf.gather(numbers([7, 16]), integers([])),
  'gradient of gather': () =>
    tf.grad((table: tf.Tensor) => tf.sum(tf.square(tf.gather(table as tf.Tensor2D, integers([2, 2, 0])))))(
      numbers([4, 9]),
    ),
  unsortedSegmentSum: () => tf.unsortedSegmentSum(numbers([5, 3]), integers([1, 0, 1, 3, 1]), 4),
  'sum over the first axis': () => tf.sum(numbers([9, 4]), 0),
  'sum over leading axes': () => tf.sum(numbers([3, 5, 4]), [0, 1]),
  'sum over leading axes, kept': () => tf.sum(numbers([3, 5, 4]), [1, 0], true),
  'sum over a negative axis': () => tf.sum(numbers([3, 5]), [-2]),
  'sum over the last axis': () => tf.sum(numbers([3, 5]), -1),
  'sum of everything': () => tf.sum(numbers([3, 5])),
  'sum of integers': () =>
    tf.sum(
      tf.tensor2d(
        [
          [1, 2],
          [3, 4],
        ],
        [2, 2],
        'int32',
      ),
      0,
    ),
  'gradient of a broadcast product': () =>
    tf.grad((scale: tf.Tensor) => tf.sum(tf.mul(numbers([3, 5, 4]), scale)))(numbers([4], 3)),
  ...Object.fromEntries(
    [
      [[9], [2], [5]],
      [
        [4, 9],
        [1, 2],
        [2, 7],
      ],
      [
        [4, 9],
        [1, 0],
        [2, 9],
      ],
      [
        [3, 4, 5],
        [0, 1, 2],
        [3, 2, 3],
      ],
      [
        [2, 3, 4, 5],
        [0, 1, 0, 0],
        [2, 2, 4, 5],
      ],
      [
        [2, 3, 4, 5],
        [1, 1, 1, 1],
        [1, 2, 2, 3],
      ],
      [
        [2, 2, 3, 4, 5],
        [0, 1, 0, 1, 0],
        [2, 1, 3, 2, 5],
      ],
      [
        [4, 9],
        [1, 2],
        [0, 7],
      ],
      [
        [2, 600],
        [0, 7],
        [2, 593],
      ],
    ].map(([shape, begin, size]) => [
      `slice ${JSON.stringify(size)} of ${JSON.stringify(shape)}`,
      () => tf.slice(numbers(shape!), begin!, size),
    ]),
  ),
  'slice to the end': () => tf.slice(numbers([4, 9]), [1, 2], [-1, -1]),
  'slice integers': () => tf.slice(integers([1, 2, 3, 4]), 1, 2),
  'slice truth values': () => tf.slice(tf.tensor1d([true, false, true], 'bool'), 1, 2),
  'split into equal parts': () => tf.split(numbers([3, 8, 2]), 2, 1)[1]!,
  'split into given parts': () => tf.concat(tf.split(numbers([3, 8]), [1, -1, 3], -1).reverse(), 1),
  'concat along the first axis': () => tf.concat([numbers([2, 3]), numbers([1, 3], 2)], 0),
  'concat along a middle axis': () => tf.concat([numbers([2, 3, 5]), numbers([2, 1, 5], 2), numbers([2, 2, 5], 3)], 1),
  'concat along the last axis': () => tf.concat([numbers([2, 3]), numbers([2, 1], 2)], -1),
  'concat with something empty': () => tf.concat([numbers([2, 0]), numbers([2, 1], 2), numbers([2, 3], 3)], 1),
  'concat truth values': () => tf.concat([tf.tensor1d([true, false], 'bool'), tf.tensor1d([true], 'bool')]),
  ...Object.fromEntries(
    [
      [0, 2, 1, 3],
      [2, 1, 0, 3],
      [1, 2, 0, 3],
      [0, 1, 3, 2],
      [3, 1, 0, 2],
    ].map((order) => [`transpose to ${order.join()}`, () => tf.transpose(numbers([2, 3, 4, 5]), order)]),
  ),
  'transpose where one axis is one': () => tf.transpose(numbers([1, 6, 3, 7]), [0, 2, 1, 3]),
  'transpose something empty': () => tf.transpose(numbers([2, 0, 3]), [1, 0, 2]),
  'gradient through slices and transposes': () =>
    tf.grad((x: tf.Tensor) =>
      tf.sum(tf.square(tf.transpose(tf.slice(x as tf.Tensor3D, [0, 1, 0], [3, 2, 4]), [1, 0, 2]))),
    )(numbers([3, 4, 4])),
  'cumsum over a negative axis': () => tf.cumsum(numbers([6, 11]), -1),
  'cumsum over a negative first axis': () => tf.cumsum(numbers([6, 11]), -2, true, true),
  cumsum: () => tf.cumsum(numbers([6, 11]), 0),
  'fused matMul with bias': () => tf.fused.matMul({ a: numbers([5, 3]), b: numbers([3, 4], 2), bias: numbers([4], 3) }),
  'fused matMul, transposed, with relu': () =>
    tf.fused.matMul({
      a: numbers([3, 5]),
      b: numbers([4, 3], 2),
      transposeA: true,
      transposeB: true,
      activation: 'relu',
    }),
  'fused matMul of a batch with leakyrelu': () =>
    tf.fused.matMul({ a: numbers([2, 5, 3]), b: numbers([2, 3, 4], 2), activation: 'leakyrelu', leakyreluAlpha: 0.2 }),
};

describe('wasm kernels', () => {
  beforeAll(async () => {
    await startBackend({ backend: 'wasm' });
  });

  it.each(Object.keys(cases))('%s', async (name) => {
    const wanted = await on('cpu', cases[name]!);
    const got = await on('wasm', cases[name]!);
    expect({ shape: got.shape, dtype: got.dtype }).toEqual({ shape: wanted.shape, dtype: wanted.dtype });
    for (const [index, value] of wanted.values.entries()) expect(got.values[index]).toBeCloseTo(value, 5);
  });

  it('names a gather index that is out of range', async () => {
    await startBackend({ backend: 'wasm' });
    expect(() => tf.tidy(() => tf.gather(numbers([7, 16]), integers([1, 7])))).toThrow('index 7 is not in 0 … 6');
  });

  it('are registered once', async () => {
    await startBackend({ backend: 'wasm' });
    const before = tf.getKernel('Tile', 'wasm').kernelFunc;
    registerWasmKernels();
    expect(tf.getKernel('Tile', 'wasm').kernelFunc).toBe(before);
  });
});
