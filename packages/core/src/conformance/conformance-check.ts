// One check of a conformance suite: a name and something to run, for whatever test runner there is.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { requireThat } from './requirements.js';

/** A requirement on an implementation. */
export interface ConformanceCheck {
  /** What is required, as the end of a sentence that begins with the implementation's name. */
  name: string;
  /** Resolves when the requirement holds. @throws MemGenError `conformance` that says what does not. */
  run: () => Promise<void>;
}

/** A check that also requires that not one tensor more exists after it than before. */
export function conformanceCheck(name: string, body: () => void | Promise<void>): ConformanceCheck {
  return {
    name,
    run: async () => {
      const before = tf.memory().numTensors;
      try {
        await body();
      } catch (error) {
        if (MemGenError.isInstance(error) && error.code === 'conformance') throw error;
        const message = 'the implementation failed while it was checked';
        throw new MemGenError({ code: 'conformance', message, got: String(error), cause: error });
      }
      const left = tf.memory().numTensors - before;
      requireThat(left === 0, {
        message: 'the number of tensors is not what it was before the check',
        got: left > 0 ? `${left} tensors more` : `${-left} tensors fewer`,
        expected: 'every tensor is freed by the one who made it, and by no one else',
        hint: 'free what a session keeps in its select() and dispose(), and all variables in dispose() of the module',
      });
    },
  };
}
