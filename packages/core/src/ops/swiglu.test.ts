// SwiGLU against its definition.
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { expectOperation, randomValues } from './operation-check.test-helper.js';
import { swiglu } from './swiglu.js';

const size = 4;

function reference(gateUp: number[]): number[] {
  const rows = gateUp.length / (2 * size);
  return Array.from({ length: rows * size }, (_, i) => {
    const start = Math.floor(i / size) * 2 * size;
    const gate = gateUp[start + (i % size)]!;
    const up = gateUp[start + size + (i % size)]!;
    return (gate / (1 + Math.exp(-gate))) * up;
  });
}

beforeAll(() => startBackend({ backend: 'wasm' }));

describe('swiglu', () => {
  const operation = (x: tf.Tensor) => swiglu(x as tf.Tensor2D);

  it('is silu(gate) * up, the gate first', () => {
    expectOperation({ inputs: [randomValues([3, 2 * size], 1)], operation, reference });
  });

  it('has finite values and gradients where the sigmoid saturates', () => {
    const data = [-80, -20, 20, 80, 1, -1, 2, -2];
    expect(reference(data).every(Number.isFinite)).toBe(true);
    expectOperation({ inputs: [{ shape: [1, 2 * size], data }], operation, reference });
  });
});
