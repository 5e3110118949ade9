// Checkpointed gradients against tfjs's own tape, and what the tape records, owns and frees.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { randomValues, relativeDifference } from '../ops/operation-check.test-helper.js';
import { Tape } from './tape.js';
import { eager, runOne, type Execution, type Piece } from './execution.js';

const size = 3;
let before: number;
let made: tf.Tensor[];

beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
  made = [];
});

afterEach(() => {
  tf.dispose(made);
  expect(tf.memory().numTensors).toBe(before);
});

function matrix(seed: number): tf.Tensor2D {
  const tensor = tf.tensor2d([...randomValues([size, size], seed).data], [size, size]);
  made.push(tensor);
  return tensor;
}

function parameter(seed: number): tf.Variable<tf.Rank.R2> {
  const variable = tf.tidy(() => tf.variable(matrix(seed)));
  made.push(variable);
  return variable;
}

type Forward = (execution: Execution) => tf.Tensor;

/** Gradients of `sum(forward * weights)` by the checkpoint tape and by tfjs must be equal. */
function expectSameGradients(forward: Forward, parameters: readonly tf.Variable[]): void {
  const weights = matrix(50);
  const expected = tf.variableGrads(() => tf.sum(tf.mul(forward(eager), weights)).asScalar(), [...parameters]);
  const tape = new Tape();
  const output = forward(tape);
  const gradients = tape.backward([{ output, gradient: weights }]);
  tape.dispose();
  for (const variable of parameters) {
    const want = expected.grads[variable.name]!.dataSync();
    expect(relativeDifference(gradients.get(variable)!.dataSync(), want)).toBeLessThan(1e-5);
  }
  expect(gradients.size).toBe(parameters.length);
  tf.dispose([expected.value, expected.grads, [...gradients.values()]]);
}

describe('Tape gradients', () => {
  it('equal those of the whole tape on a chain', () => {
    const [w1, w2, w3] = [parameter(1), parameter(2), parameter(3)];
    const x = matrix(4);
    const forward: Forward = (execution) => {
      const first = runOne(execution, ([x]) => tf.tanh(tf.matMul(x as tf.Tensor2D, w1)), [x], [w1]);
      const second = runOne(execution, ([x]) => tf.sigmoid(tf.matMul(x as tf.Tensor2D, w2)), [first], [w2]);
      return runOne(execution, ([x]) => tf.mul(x!, w3), [second], [w3]);
    };
    expectSameGradients(forward, [w1, w2, w3]);
  });

  it('add up where a tensor branches, several pieces share a parameter and a piece has several outputs', () => {
    const [shared, own] = [parameter(1), parameter(2)];
    const x = matrix(3);
    const forward: Forward = (execution) => {
      const split: Piece = ([x]) => {
        const y = tf.matMul(x as tf.Tensor2D, shared);
        return [tf.tanh(y), tf.square(y), tf.neg(y)];
      };
      const [left, right] = execution.run(split, [x], [shared]) as [tf.Tensor, tf.Tensor];
      const turned = runOne(execution, ([left]) => tf.matMul(left as tf.Tensor2D, shared), [left], [shared]);
      const other = runOne(execution, ([right]) => tf.mul(right!, own), [right], [own]);
      return runOne(execution, ([a, b, c]) => tf.addN([a!, tf.mul(a!, b!), c!]), [turned, other, left]);
    };
    expectSameGradients(forward, [shared, own]);
  });

  it('count once what stands twice among the inputs or parameters of a piece', () => {
    const w = parameter(1);
    const forward: Forward = (execution) => {
      const y = runOne(execution, ([x]) => tf.matMul(x as tf.Tensor2D, tf.add(w, w)), [matrix(2)], [w, w]);
      return runOne(execution, ([a, b]) => tf.mul(a!, tf.add(b!, 1)), [y, y]);
    };
    expectSameGradients(forward, [w]);
  });

  it('pass through pieces that return an input as it is', () => {
    const w = parameter(1);
    const forward: Forward = (execution) => {
      const y = runOne(execution, ([x]) => tf.mul(x!, w), [matrix(2)], [w]);
      const [same, squared] = execution.run(([y]) => [y!, tf.square(y!)], [y]) as [tf.Tensor, tf.Tensor];
      return runOne(execution, ([a, b]) => tf.add(a!, b!), [same, squared]);
    };
    expectSameGradients(forward, [w]);
  });

  it('start from several seeds, and leave out what the loss does not depend on', () => {
    const [w1, w2, unused] = [parameter(1), parameter(2), parameter(3)];
    const [x, first, second] = [matrix(4), matrix(5), matrix(6)];
    const tape = new Tape();
    const a = runOne(tape, ([x]) => tf.mul(x!, w1), [x], [w1]);
    const b = runOne(tape, ([a]) => tf.mul(a!, w2), [a], [w2]);
    runOne(tape, ([a]) => tf.mul(a!, unused), [a], [unused]);
    const gradients = tape.backward([
      { output: a, gradient: first },
      { output: b, gradient: second },
    ]);
    tape.dispose();
    expect([...gradients.keys()]).toHaveLength(2);
    const [want1, want2] = tf.tidy(() => [
      tf.mul(x, tf.add(first, tf.mul(second, w2))).dataSync(),
      tf.mul(tf.mul(x, w1), second).dataSync(),
    ]) as [Float32Array, Float32Array];
    expect(relativeDifference(gradients.get(w1)!.dataSync(), want1)).toBeLessThan(1e-5);
    expect(relativeDifference(gradients.get(w2)!.dataSync(), want2)).toBeLessThan(1e-5);
    tf.dispose([...gradients.values()]);
  });
});

describe('Tape as an execution', () => {
  it('runs a frozen prefix once and never again, a piece with parameters once more backwards', () => {
    const w = parameter(1);
    const runs = { frozen: 0, trained: 0 };
    const tape = new Tape();
    const prefix = runOne(
      tape,
      ([x]) => {
        runs.frozen++;
        return tf.square(x!);
      },
      [matrix(2)],
    );
    const output = runOne(
      tape,
      ([x]) => {
        runs.trained++;
        return tf.mul(x!, w);
      },
      [prefix],
      [w],
    );
    const gradients = tape.backward([{ output, gradient: matrix(3) }]);
    expect(runs).toEqual({ frozen: 1, trained: 2 });
    expect(prefix.isDisposed).toBe(false);
    expect(output.isDisposed).toBe(true);
    tape.dispose();
    expect(prefix.isDisposed).toBe(true);
    tf.dispose([...gradients.values()]);
  });

  it('gives no gradients when the loss depends on frozen pieces only', () => {
    const tape = new Tape();
    const output = runOne(tape, ([x]) => tf.square(x!), [matrix(1)]);
    expect(tape.backward([{ output, gradient: matrix(2) }]).size).toBe(0);
    tape.dispose();
  });

  it('keeps what pieces return and constants, also beyond the scope they were made in, and nothing else', () => {
    const tape = new Tape();
    const [constant, output] = tf.tidy(() => {
      const [constant] = tape.constants(() => [tf.add(tf.ones([size]), 1)]);
      tape.run(([x]) => [tf.sqrt(tf.square(tf.add(x!, constant!)))], [matrix(1)]);
      const output = runOne(tape, ([x]) => tf.add(tf.square(x!), constant!), [matrix(2)]);
      return [constant!, output];
    });
    tf.dispose(made);
    made = [];
    expect(tf.memory().numTensors).toBe(before + 3);
    expect(constant!.isDisposed || output!.isDisposed).toBe(false);
    tape.dispose();
  });

  it('leaves nothing behind when a piece fails', () => {
    const w = parameter(1);
    const tape = new Tape();
    const output = runOne(tape, ([x]) => tf.mul(x!, w), [matrix(2)], [w]);
    const failing: Piece = ([x]) => {
      tf.square(x!);
      throw new Error('a piece failed');
    };
    expect(() => tape.run(failing, [output])).toThrow('a piece failed');
    tape.dispose();
  });

  it('leaves nothing behind when a piece fails in the backward pass', () => {
    const [w1, w2] = [parameter(1), parameter(2)];
    const tape = new Tape();
    let runs = 0;
    const failsAgain = ([x]: readonly tf.Tensor[]): tf.Tensor => {
      if (runs++ > 0) throw new Error('a piece failed');
      return tf.mul(x!, w1);
    };
    const first = runOne(tape, failsAgain, [matrix(3)], [w1]);
    const output = runOne(tape, ([x]) => tf.mul(x!, w2), [first], [w2]);
    expect(() => tape.backward([{ output, gradient: matrix(4) }])).toThrow('a piece failed');
    tape.dispose();
  });
});

describe('a piece with a gradient of its own', () => {
  /** `tanh(x w)`, counting how often it is run. */
  function tanhOfProduct(w: tf.Variable<tf.Rank.R2>, runs: { forward: number; backward: number }): Piece {
    return {
      linearize: ([x]) => {
        runs.forward++;
        const y = tf.tanh(tf.matMul(x as tf.Tensor2D, w));
        return {
          outputs: [y],
          saved: [y],
          pullback: ([dy], collect) => {
            runs.backward++;
            const dProduct = tf.mul(dy!, tf.sub(1, tf.square(y))) as tf.Tensor2D;
            collect(w, tf.matMul(x as tf.Tensor2D, dProduct, true, false));
            return [tf.matMul(dProduct, w, false, true)];
          },
        };
      },
    };
  }

  it.each([true, false])('gives the gradients of tfjs, between functions (checkpointing %s)', (checkpointing) => {
    const [w1, w2, w3] = [parameter(1), parameter(2), parameter(3)];
    const [x, weights] = [matrix(4), matrix(5)];
    const runs = { forward: 0, backward: 0 };
    const forward = (execution: Execution): tf.Tensor => {
      const first = runOne(execution, ([x]) => tf.mul(x!, w1), [x], [w1]);
      const [second] = execution.run(tanhOfProduct(w2, runs), [first], [w2]);
      const [third] = execution.run(tanhOfProduct(w2, runs), [second!], [w2]);
      return runOne(execution, ([a, b]) => tf.mul(tf.add(a!, b!), w3), [third!, first], [w3]);
    };
    const variables = [w1, w2, w3];
    const expected = tf.variableGrads(() => tf.sum(tf.mul(forward(eager), weights)).asScalar(), variables);
    runs.forward = 0;
    const tape = new Tape({ checkpointing });
    const gradients = tape.backward([{ output: forward(tape), gradient: weights }]);
    tape.dispose();
    for (const variable of variables) {
      const want = expected.grads[variable.name]!.dataSync();
      expect(relativeDifference(gradients.get(variable)!.dataSync(), want)).toBeLessThan(1e-5);
    }
    expect(runs).toEqual({ forward: checkpointing ? 4 : 2, backward: 2 });
    tf.dispose([expected.value, expected.grads, [...gradients.values()]]);
  });

  it.each([true, false])('is not differentiated in a frozen prefix (checkpointing %s)', (checkpointing) => {
    const [w, frozen] = [parameter(1), parameter(2)];
    const [inFrozen, inTrained] = [{ forward: 0, backward: 0 }, { forward: 0, backward: 0 }]; // prettier-ignore
    const tape = new Tape({ checkpointing });
    const [prefix] = tape.run(tanhOfProduct(frozen, inFrozen), [matrix(3)]);
    const [output] = tape.run(tanhOfProduct(w, inTrained), [prefix!], [w]);
    const gradients = tape.backward([{ output: output!, gradient: matrix(4) }]);
    expect([...gradients.keys()]).toEqual([w]);
    expect([inFrozen.backward, inTrained.backward]).toEqual([0, 1]);
    expect(inFrozen.forward).toBe(1);
    tape.dispose();
    tf.dispose([...gradients.values()]);
  });

  it.each([true, false])('leaves nothing behind when its pullback fails (checkpointing %s)', (checkpointing) => {
    const [w1, w2] = [parameter(1), parameter(2)];
    const tape = new Tape({ checkpointing });
    const failing: Piece = {
      linearize: ([x]) => ({
        outputs: [tf.mul(x!, w1)],
        saved: [],
        pullback: ([dy], collect) => {
          collect(w1, tf.mul(dy!, x!));
          throw new Error('a pullback failed');
        },
      }),
    };
    const [first] = tape.run(failing, [matrix(3)], [w1]);
    const output = runOne(tape, ([x]) => tf.mul(x!, w2), [first!], [w2]);
    expect(() => tape.backward([{ output, gradient: matrix(4) }])).toThrow('a pullback failed');
    tape.dispose();
  });
});

describe('eager', () => {
  it('frees what a piece made on the way', () => {
    const result = runOne(eager, ([x]) => tf.square(tf.add(x!, 1)), [matrix(1)]);
    expect(tf.memory().numTensors).toBe(before + 2);
    result.dispose();
  });
});
