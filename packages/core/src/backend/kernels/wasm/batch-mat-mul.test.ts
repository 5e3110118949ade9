// The wasm matrix product against the plain JavaScript backend: every flag, broadcasting, no leaks.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../start-backend.js';
import { batchMatMul } from './batch-mat-mul.js';
import { asWasmEngine } from './wasm-engine.js';

const flags = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Values of no particular pattern, the same on every run; the last two dimensions swapped if `transposed`. */
function numbers(shape: number[], seed: number, transposed = false): tf.Tensor {
  const stored = transposed ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, index) =>
    Math.sin(index * 1.7 + seed),
  );
  return tf.tensor(values, stored);
}

/** Spells the broadcasting of leading dimensions out: the cpu backend gets that of both sides at once wrong. */
function broadcast(tensor: tf.Tensor, other: number[]): tf.Tensor {
  const leading = tf.broadcast_util.assertAndGetBroadcastShape(tensor.shape.slice(0, -2), other.slice(0, -2));
  return tf.broadcastTo(tensor, [...leading, ...tensor.shape.slice(-2)]);
}

const shapes: [number[], number[]][] = [
  [
    [2, 3],
    [3, 5],
  ],
  [
    [1, 17],
    [17, 9],
  ],
  [
    [33, 8],
    [8, 1],
  ],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [64, 96],
    [96, 80],
  ],
  // Edges of tiles and of blocks, and the few rows that are multiplied in another way.
  ...[1, 3, 5, 17, 64, 65].map((size): [number[], number[]] => [
    [size, 65],
    [65, size],
  ]),
  [
    [12, 7],
    [7, 515],
  ],
  [
    [13, 7],
    [7, 515],
  ],
  [
    [389, 9],
    [9, 66],
  ],
  [
    [6, 389],
    [389, 3],
  ],
  [
    [4, 7, 5],
    [4, 5, 11],
  ],
  [
    [2, 3, 9, 4],
    [2, 3, 4, 6],
  ],
  [
    [2, 3, 9, 4],
    [4, 6],
  ],
  [
    [2, 1, 9, 4],
    [1, 3, 4, 6],
  ],
  [
    [9, 4],
    [2, 3, 4, 6],
  ],
  [
    [1, 9, 4],
    [5, 4, 6],
  ],
  [
    [3, 1, 20],
    [3, 20, 13],
  ],
  [
    [3, 20, 13],
    [3, 13, 1],
  ],
];

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
});

describe('batchMatMul', () => {
  it.each(shapes)('multiplies %j by %j with every flag', async (a, b) => {
    for (const [transposeA, transposeB] of flags) {
      await startBackend({ backend: 'cpu' });
      const wanted = tf.tidy(() => {
        const left = broadcast(numbers(a, 1, transposeA), b);
        return tf.matMul(left, broadcast(numbers(b, 2, transposeB), a), transposeA, transposeB);
      });
      const wantedValues = wanted.dataSync();
      await startBackend({ backend: 'wasm' });
      const before = tf.memory().numTensors;
      const chosen = tf.tidy(() =>
        tf.matMul(numbers(a, 1, transposeA), numbers(b, 2, transposeB), transposeA, transposeB),
      );
      expect(chosen.shape).toEqual(wanted.shape);
      expectClose(chosen.dataSync(), wantedValues);
      chosen.dispose();
      expect(tf.memory().numTensors).toBe(before);
      wanted.dispose();
    }
  });

  it('has the gradients of the plain backend', async () => {
    for (const [transposeA, transposeB] of flags) {
      const gradients = (): tf.Tensor[] =>
        tf.tidy(() => {
          const inputs = [numbers([3, 6, 4], 1, transposeA), numbers([3, 4, 5], 2, transposeB)];
          const weight = numbers([3, 6, 5], 3);
          return tf.grads((x: tf.Tensor, y: tf.Tensor) =>
            tf.sum(tf.mul(tf.matMul(x, y, transposeA, transposeB), weight)),
          )(inputs);
        });
      await startBackend({ backend: 'cpu' });
      const wanted = gradients().map((gradient) => gradient.dataSync());
      await startBackend({ backend: 'wasm' });
      const got = gradients();
      for (const [index, gradient] of got.entries()) {
        expectClose(gradient.dataSync(), wanted[index]!);
      }
    }
  });

  it('multiplies by a reshaped matrix after it was used in its first shape', () => {
    const b = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    expect(tf.matMul(tf.ones([1, 2]), b).arraySync()).toEqual([[5, 7, 9]]);
    expect(tf.matMul(tf.ones([1, 3]), b.reshape([3, 2])).arraySync()).toEqual([[9, 12]]);
    expect(tf.matMul(tf.ones([1, 6]), b.reshape([6, 1])).arraySync()).toEqual([[21]]);
    expect(tf.matMul(tf.ones([1, 2]), b).arraySync()).toEqual([[5, 7, 9]]);
  });

  it('gives zeros for an empty inner dimension and nothing for an empty batch', () => {
    expect(tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).arraySync()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(tf.matMul(tf.zeros([0, 2, 4]), tf.zeros([0, 4, 3])).shape).toEqual([0, 2, 3]);
  });

  it('says both shapes when the inner sizes differ', () => {
    const [a, b] = [tf.zeros([2, 3]), tf.zeros([4, 5])];
    const backend = tf.backend();
    expect(() => batchMatMul(a, b, { transposeA: false, transposeB: true, backend })).toThrow(
      'matMul of [2, 3] and [4, 5] transposed: inner sizes 3 and 5 differ',
    );
  });

  it('leaks neither tensors nor packed matrices over many calls', () => {
    const engine = asWasmEngine(tf.backend());
    const run = (): void => {
      tf.tidy(() => {
        const a = tf.ones([4, 32, 256]);
        const b = tf.ones([4, 256, 64]);
        tf.matMul(a, b);
        tf.matMul(a, a, false, true);
        tf.matMul(a, a, true, false);
        tf.matMul(a.reshape([128, 256]), b.reshape([256, 256]));
        tf.matMul(a.reshape([256, 128]), b.reshape([256, 256]), true, true);
      });
    };
    for (let call = 0; call < 50; call++) run();
    const tensors = tf.memory().numTensors;
    const heap = engine.wasm.HEAPU8.length;
    // One pass packs about half a megabyte: a leak of it would add 500 MB.
    for (let call = 0; call < 1000; call++) run();
    expect(tf.memory().numTensors).toBe(tensors);
    expect(engine.wasm.HEAPU8.length).toBe(heap);
  });
});

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(got.length).toBe(wanted.length);
  let [worst, largest] = [0, 1];
  for (let index = 0; index < wanted.length; index++) {
    worst = Math.max(worst, Math.abs(got[index]! - wanted[index]!));
    largest = Math.max(largest, Math.abs(wanted[index]!));
  }
  expect(worst / largest).toBeLessThan(1e-5);
}
