// The policy to stay close to, kept as values and put in the place of the trained ones for a moment.
import { restoreValues } from '@memgen/sft';
import type * as tf from '@tensorflow/tfjs';

/** Values of parameters by name, as `loadTrainingState` of `@memgen/sft` gives them. */
export type ParameterValues = ReadonlyMap<string, { shape: number[]; data: Float32Array }>;

/** A copy of the parameters of a weaver, a trigger or an adapter as they are now. */
export async function parameterValues(parameters: ReadonlyMap<string, tf.Variable>): Promise<ParameterValues> {
  const values = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const [name, variable] of parameters) {
    values.set(name, { shape: [...variable.shape], data: Float32Array.from(await variable.data()) });
  }
  return values;
}

/**
 * Runs with other values, and puts the present ones back to the bit, also after an error. Until the promise settles the
 * parameters belong to the run: nothing else may read or change them.
 * @throws MemGenError `training-state` for values of other parameters.
 */
export async function withValues<T>(
  parameters: ReadonlyMap<string, tf.Variable>,
  values: ParameterValues,
  run: () => Promise<T>,
): Promise<T> {
  const kept = [...parameters.values()].map((variable) => ({ variable, value: variable.clone() }));
  try {
    restoreValues(values, parameters);
    return await run();
  } finally {
    for (const { variable, value } of kept) {
      variable.assign(value);
      value.dispose();
    }
  }
}
