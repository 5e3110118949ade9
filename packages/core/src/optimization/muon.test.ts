// Muon: its orthogonalisation against the polynomial on singular values, and its steps.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { Muon, orthogonalize } from './muon.js';
import { randomParameters, randomTensor, takeSteps, valuesOf } from './optimizer-check.test-helper.js';

let before: number;
beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

/** `[count, size]` with orthonormal rows (Gram-Schmidt). */
function orthonormalRows(count: number, size: number, label: string): tf.Tensor2D {
  return tf.linalg.gramSchmidt(randomTensor([count, size], label) as tf.Tensor2D) as tf.Tensor2D;
}

function iterated(singularValues: readonly number[], iterations: number): number[] {
  const norm = Math.hypot(...singularValues);
  return singularValues.map((value) => {
    let s = value / norm;
    for (let i = 0; i < iterations; i++) s = 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5;
    return s;
  });
}

/** `left^T diag(values) right`. */
function compose(left: tf.Tensor2D, values: readonly number[], right: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(left, tf.mul(tf.tensor2d([...values], [values.length, 1]), right), true);
}

describe('orthogonalize', () => {
  const singularValues = [5, 2, 1, 0.3];

  it.each([
    ['wide', 4, 7],
    ['tall', 7, 4],
    ['square', 4, 4],
  ])('keeps the singular vectors of a %s matrix and brings its singular values near 1', (_, rows, columns) => {
    tf.tidy(() => {
      const [left, right] = [orthonormalRows(4, rows, 'left'), orthonormalRows(4, columns, 'right')];
      const values = iterated(singularValues, 5);
      expect(Math.min(...values)).toBeGreaterThan(0.65);
      expect(Math.max(...values)).toBeLessThan(1.25);
      const got = orthogonalize(compose(left, singularValues, right));
      expect(got.shape).toEqual([rows, columns]);
      expect(relativeDifference(got.dataSync(), compose(left, values, right).dataSync())).toBeLessThan(1e-4);
    });
  });

  it('does not depend on the size of the matrix, and leaves zero at zero', () => {
    tf.tidy(() => {
      const matrix = randomTensor([3, 5], 'matrix') as tf.Tensor2D;
      const small = orthogonalize(tf.mul(matrix, 1e-3));
      expect(relativeDifference(small.dataSync(), orthogonalize(matrix).dataSync())).toBeLessThan(1e-3);
      expect([...orthogonalize(tf.zeros([2, 2])).dataSync()]).toEqual([0, 0, 0, 0]);
    });
  });

  it('iterates as often as it is told', () => {
    tf.tidy(() => {
      const [left, right] = [orthonormalRows(4, 4, 'left'), orthonormalRows(4, 6, 'right')];
      const got = orthogonalize(compose(left, singularValues, right), 2);
      const expected = compose(left, iterated(singularValues, 2), right);
      expect(relativeDifference(got.dataSync(), expected.dataSync())).toBeLessThan(1e-4);
    });
  });
});

describe('Muon', () => {
  it('steps along the orthogonalised Nesterov momentum, wider matrices further, after decay', () => {
    const parameters = randomParameters({ wide: [3, 12], tall: [6, 3] });
    const initial = valuesOf(parameters);
    const options = { momentum: 0.8, iterations: 4, weightDecay: 0.2 };
    const optimizer = new Muon(parameters, options);
    takeSteps(optimizer, parameters, 0, 3, 0.1);
    for (const [name, variable] of parameters) {
      const expected = tf.tidy(() => {
        const { shape } = variable;
        let value = tf.tensor(initial[name]!, shape);
        let running = tf.zeros(shape);
        for (let step = 0; step < 3; step++) {
          const gradient = randomTensor(shape, `${step} ${name}`);
          running = tf.add(tf.mul(running, 0.8), gradient);
          const direction = orthogonalize(tf.add(gradient, tf.mul(running, 0.8)), 4);
          const scale = name === 'wide' ? 2 : 1;
          value = tf.sub(tf.mul(value, 1 - 0.1 * 0.2), tf.mul(direction, 0.1 * scale));
        }
        return value.dataSync();
      });
      expect(relativeDifference(variable.dataSync(), expected), name).toBeLessThan(1e-4);
    }
    optimizer.dispose();
    tf.dispose([...parameters.values()]);
  });

  it('treats sections that lie side by side as matrices of their own', () => {
    const whole = randomParameters({ joined: [4, 10] });
    const pieces = tf.tidy(() =>
      tf.split(whole.get('joined')! as tf.Tensor, [6, 4], 1).map((piece) => tf.variable(piece)),
    );
    const parts = new Map(pieces.map((variable, i) => [`part ${i}`, variable]));
    const joined = new Muon(whole, { sections: (name) => (name === 'joined' ? [6, 4] : undefined) });
    const separate = new Muon(parts);
    for (let step = 0; step < 2; step++) {
      const gradient = randomTensor([4, 10], `gradient ${step}`);
      const ofPieces = tf.split(gradient, [6, 4], 1);
      joined.step(new Map([[whole.get('joined')!, gradient]]), 0.1);
      separate.step(new Map(pieces.map((variable, i) => [variable, ofPieces[i]!])), 0.1);
      tf.dispose([gradient, ofPieces]);
    }
    const expected = tf.tidy(() => tf.concat(pieces as tf.Tensor[], 1).dataSync());
    expect(relativeDifference(whole.get('joined')!.dataSync(), expected)).toBeLessThan(1e-5);
    joined.dispose();
    separate.dispose();
    tf.dispose([...whole.values(), ...pieces]);
  });

  it('goes on from an exported state bit by bit', async () => {
    const [parameters, twin] = [randomParameters({ w: [3, 4] }), randomParameters({ w: [3, 4] })];
    const [optimizer, first] = [new Muon(parameters), new Muon(twin)];
    takeSteps(optimizer, parameters, 0, 4);
    takeSteps(first, twin, 0, 2);
    const second = new Muon(twin);
    second.importState(await first.exportState());
    takeSteps(second, twin, 2, 4);
    expect(valuesOf(twin)).toEqual(valuesOf(parameters));
    for (const owner of [optimizer, first, second]) owner.dispose();
    tf.dispose([...parameters.values(), ...twin.values()]);
  });
});
