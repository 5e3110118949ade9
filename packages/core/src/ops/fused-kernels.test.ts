// Our kernels against the compositions that they stand for, of odd sizes, forwards and backwards, and without leaks.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { attend, attentionGradient } from './attention.js';
import { randomValues, relativeDifference } from './operation-check.test-helper.js';
import { normalize, normalizeGradient, normalizeWeightGradient } from './rms-norm.js';
import { halfTurnMatrix, rotate, rotateBack } from './rotary.js';
import { gatedActivation, gatedActivationGradient } from './swiglu.js';
import { tokenLossWithGradients } from './token-loss.js';

const sizes = [1, 3, 5, 17, 64, 65];

function normals<R extends tf.Rank>(shape: tf.ShapeMap[R], seed: number): tf.Tensor<R> {
  return tf.tensor<R>([...randomValues(shape, seed).data], shape);
}

const hasTensorflow = await startBackend({ backend: 'tensorflow' }).then(
  () => true,
  () => false,
);

interface Result {
  shape: number[];
  data: Float32Array;
}

function resultsOf(compute: () => tf.Tensor[]): Result[] {
  const before = tf.memory().numTensors;
  const tensors = tf.tidy(compute);
  const results = tensors.map((tensor) => ({ shape: tensor.shape, data: tensor.dataSync() as Float32Array }));
  tf.dispose(tensors);
  expect(tf.memory().numTensors).toBe(before);
  return results;
}

/** What the compositions give on a backend that has kernels of ours. */
function composed(backend: string, compute: () => tf.Tensor[]): Result[] {
  const ours = tf.getKernelsForBackend(backend).filter(({ kernelName }) => kernelName.startsWith('Memgen'));
  for (const { kernelName } of ours) tf.unregisterKernel(kernelName, backend);
  try {
    return resultsOf(compute);
  } finally {
    for (const kernel of ours) tf.registerKernel(kernel);
  }
}

/**
 * Runs `compute` with the compositions, then with our kernels, and compares the results: on wasm with the cpu backend,
 * which has compositions only; on TensorFlow, where it is installed, with the compositions on TensorFlow itself, whose
 * products round otherwise than those of the cpu backend do.
 * @returns what the kernels of wasm gave.
 */
async function expectSame(compute: () => tf.Tensor[], tolerance = 1e-5): Promise<number[][]> {
  const compare = (got: readonly Result[], expected: readonly Result[], backend: string) => {
    expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
    for (const [i, { data }] of got.entries()) {
      expect(relativeDifference(data, expected[i]!.data), `result ${i} on ${backend}`).toBeLessThan(tolerance);
    }
  };
  if (hasTensorflow) {
    await startBackend({ backend: 'tensorflow' });
    compare(resultsOf(compute), composed('tensorflow', compute), 'tensorflow');
  }
  await startBackend({ backend: 'cpu' });
  const expected = resultsOf(compute);
  await startBackend({ backend: 'wasm' });
  const got = resultsOf(compute);
  compare(got, expected, 'wasm');
  return got.map(({ data }) => [...data]);
}

beforeAll(() => startBackend({ backend: 'wasm' }));

it('are there on the wasm backend, and not in place of what the tape of tfjs records', () => {
  const names = (use: () => void) =>
    tf.tidy(() => {
      const seen: string[] = [];
      const original = tf.engine().runKernel.bind(tf.engine());
      tf.engine().runKernel = (name, inputs, attributes) => {
        seen.push(name);
        return original(name, inputs, attributes);
      };
      try {
        use();
      } finally {
        tf.engine().runKernel = original;
      }
      return seen;
    });
  const gateUp = normals<tf.Rank.R2>([2, 6], 1);
  expect(names(() => gatedActivation(gateUp))).toEqual(['MemgenGatedActivation']);
  const recorded = names(() => tf.grad((x: tf.Tensor) => gatedActivation(x as tf.Tensor2D).output)(gateUp));
  expect(recorded).not.toContain('MemgenGatedActivation');
  gateUp.dispose();
});

describe.each(sizes)('of size %i', (size) => {
  it.each([0, 1, 3, 17])('normalise %i rows', async (rows) => {
    await expectSame(() => {
      const [x, dOutput] = [normals<tf.Rank.R2>([rows, size], 1), normals<tf.Rank.R2>([rows, size], 2)];
      const weight = normals<tf.Rank.R1>([size], 3);
      const { output, inverse } = normalize(x, weight, 1e-5);
      const gradient = normalizeGradient(dOutput, x, inverse, weight);
      return [output, inverse, gradient, normalizeWeightGradient(dOutput, x, inverse)];
    });
  });

  it.each([0, 1, 5])('gate %i rows', async (rows) => {
    await expectSame(() => {
      const gateUp = tf.mul<tf.Tensor2D>(normals<tf.Rank.R2>([rows, 2 * size], 1), 4);
      const { output, saved } = gatedActivation(gateUp);
      return [output, gatedActivationGradient(normals([rows, size], 2), saved)];
    });
  });

  it('rotate pairs of channels, with factors for each row of the batch or for all', async () => {
    for (const factorBatch of [1, 3]) {
      await expectSame(() => {
        const x = normals<tf.Rank.R4>([3, 2, 5, 2 * size], 1);
        const [cos, sin] = [2, 3].map((seed) => normals<tf.Rank.R4>([factorBatch, 1, 5, 2 * size], seed));
        const factors = { cos: cos!, sin: sin!, halfTurn: halfTurnMatrix(2 * size) };
        return [rotate(x, factors), rotateBack(x, factors)];
      });
    }
  });

  it('give the loss of tokens', async () => {
    const labels = [0, size, size >> 1];
    await expectSame(() => {
      const head = tf.variable(normals<tf.Rank.R2>([7, size + 1], 2));
      const result = tokenLossWithGradients(normals([3, 7], 1), labels, head, { chunkRows: 2 });
      head.dispose();
      return [result.loss, result.hiddenGradient, result.headGradient!];
    });
  });
});

interface AttentionSizes {
  batch: number;
  heads: number;
  keyValueHeads: number;
  tokens: number;
  columns: number;
  size: number;
}

/** Causal; in the last batch row the first columns are padding. */
function causalBias({ tokens, columns }: AttentionSizes, batch: number, padded: number): tf.Tensor4D {
  const values = Float32Array.from({ length: batch * tokens * columns }, (_, at) => {
    const [column, token] = [at % columns, Math.floor(at / columns) % tokens];
    const later = column > columns - tokens + token;
    const padding = Math.floor(at / columns / tokens) === batch - 1 && column < padded;
    return later || padding ? -1e9 : 0;
  });
  return tf.tensor4d(values, [batch, 1, tokens, columns]);
}

function attendBothWays(sizes: AttentionSizes, bias: (() => tf.Tensor4D) | undefined): tf.Tensor[] {
  const { batch, heads, keyValueHeads, tokens, columns, size } = sizes;
  const inputs = {
    query: normals<tf.Rank.R4>([batch, heads, tokens, size], 1),
    key: normals<tf.Rank.R4>([batch, keyValueHeads, columns, size], 2),
    value: normals<tf.Rank.R4>([batch, keyValueHeads, columns, size], 3),
  };
  const added = bias?.();
  const attended = attend(inputs, added);
  // With its results at hand, and without.
  const gradients = [attended, undefined].map((known) =>
    attentionGradient(normals(inputs.query.shape, 4), inputs, added, known),
  );
  return [attended.output, ...gradients.flatMap(({ query, key, value }) => [query, key, value])];
}

describe('attention', () => {
  const plain = { batch: 1, heads: 1, keyValueHeads: 1, tokens: 1, columns: 1, size: 1 };
  it.each<[string, AttentionSizes]>([
    ['one of everything', plain],
    ['one token after many', { ...plain, batch: 2, heads: 6, keyValueHeads: 2, columns: 65, size: 64 }],
    ['a few tokens', { ...plain, batch: 2, heads: 4, keyValueHeads: 2, tokens: 3, columns: 5, size: 17 }],
    ['more rows than a tile has', { ...plain, heads: 3, tokens: 65, columns: 65, size: 5 }],
    ['many tokens after others', { ...plain, batch: 2, heads: 6, keyValueHeads: 2, tokens: 17, columns: 64, size: 3 }],
    ['no batch', { ...plain, batch: 0, tokens: 3, columns: 3, size: 4 }],
  ])('sees, hides and shares heads: %s', async (_, sizes) => {
    await expectSame(() => attendBothWays(sizes, undefined));
    await expectSame(() => attendBothWays(sizes, () => causalBias(sizes, 1, 0)));
    await expectSame(() => attendBothWays(sizes, () => causalBias(sizes, Math.max(1, sizes.batch), 2)));
  });

  it('takes any bias, not only one that hides', async () => {
    const sizes = { ...plain, batch: 2, heads: 2, tokens: 5, columns: 9, size: 4 };
    await expectSame(() => attendBothWays(sizes, () => normals([2, 1, 5, 9], 7)));
  });

  it('weighs all columns alike for a token that sees none', async () => {
    const sizes = { ...plain, batch: 1, tokens: 40, columns: 40, size: 4 };
    const [output] = await expectSame(() => attendBothWays(sizes, () => causalBias(sizes, 1, 3)));
    expect(output!.every(Number.isFinite)).toBe(true);
  });
});

it('work while the heap grows', async () => {
  await startBackend({ backend: 'wasm' });
  const large: tf.Tensor[] = [];
  const sizes = { batch: 1, heads: 2, keyValueHeads: 1, tokens: 33, columns: 33, size: 8 };
  const run = () => tf.tidy(() => attendBothWays(sizes, undefined).map((tensor) => [...tensor.dataSync()]));
  const first = run();
  for (let i = 0; i < 8; i++) {
    large.push(tf.zeros([1024, 1024 * (i + 1)]));
    expect(run()).toEqual(first);
  }
  tf.dispose(large);
});
