// Requires of a call that it leaves no tensor behind: when it succeeds, when it fails, and when a tensor cannot be read.
import * as tf from '@tensorflow/tfjs';
import { expect, vi } from 'vitest';

type Result = tf.Tensor | readonly tf.Tensor[] | { dispose(): void } | undefined;

/** Runs outside of any `tf.tidy`, twice: the first call may fill a cache that is kept. What it returns is disposed. */
export async function expectNothingLeft(work: () => unknown): Promise<void> {
  const start = tf.memory().numTensors;
  for (let time = 0; time < 2; time++) {
    const result = (await work()) as Result;
    if (result instanceof tf.Tensor) expect(tf.memory().numTensors, 'tensors while the result lives').toBe(start + 1);
    dispose(result);
    expect(tf.memory().numTensors, 'tensors after the result was disposed').toBe(start);
  }
}

/**
 * Runs again and again, and each time another read of a tensor (`await tensor.data()`) is rejected: the first, the second,
 * and so on until there are no more of them. The call has to be rejected with what the read was.
 * @param most - reads that are tried.
 * @returns how many reads there were, or `most`.
 */
export async function expectNothingLeftByFailedReads(work: () => Promise<unknown>, most = 20): Promise<number> {
  const lost = new Error('the device is lost');
  // What the method does is needed behind the spy, with the tensor as its `this`.
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its object below, and put back
  const read = tf.Tensor.prototype.data;
  const start = tf.memory().numTensors;
  for (let failing = 0; failing < most; failing++) {
    let reads = 0;
    const spy = vi.spyOn(tf.Tensor.prototype, 'data').mockImplementation(function (this: tf.Tensor) {
      return reads++ === failing ? Promise.reject(lost) : (read.call(this) as ReturnType<tf.Tensor['data']>);
    });
    const outcome = await work().then(
      (result) => ({ result: result as Result }),
      (error: unknown) => ({ error }),
    );
    spy.mockRestore();
    const isOver = reads <= failing;
    if ('error' in outcome) expect(outcome.error, `read ${failing}`).toBe(lost);
    else expect(isOver, `the call succeeds though read ${failing} fails`).toBe(true);
    if ('result' in outcome) dispose(outcome.result);
    expect(tf.memory().numTensors, `tensors after read ${failing} failed`).toBe(start);
    if (isOver) return reads;
  }
  return most;
}

function dispose(result: Result): void {
  if (Array.isArray(result)) tf.dispose([...(result as tf.Tensor[])]);
  else if (result !== null && typeof result === 'object' && 'dispose' in result) result.dispose();
}
