// Values of the parts that act in a rollout, laid out in memory that all workers read.
import type * as tf from '@tensorflow/tfjs';
import type { GenerationSettings } from '../generation-settings.js';
import type { ParameterValues } from '../reference-values.js';

/** What acts beside the reasoner. */
export type RolloutParts = Pick<GenerationSettings, 'weaver' | 'trigger' | 'adapter'>;

const partNames = ['weaver', 'trigger', 'adapter'] as const;
export type PartName = (typeof partNames)[number];

/** The parts that there are, whether they have parameters or not. */
export function namesOfParts(parts: RolloutParts): PartName[] {
  return partNames.filter((name) => parts[name] !== undefined);
}

/** All variables of the parts, as `weaver/prompt_query_latents`. */
export function partParameters(parts: RolloutParts): Map<string, tf.Variable> {
  const named = new Map<string, tf.Variable>();
  for (const part of namesOfParts(parts)) {
    for (const [name, variable] of parts[part]!.parameters()) named.set(`${part}/${name}`, variable);
  }
  return named;
}

/** Shapes by name. */
export function shapesOf(parameters: ReadonlyMap<string, tf.Variable>): Map<string, number[]> {
  return new Map([...parameters].map(([name, { shape }]) => [name, [...shape]]));
}

/** A copy of the values as they are now, in one block that is sent to other threads without being copied again. */
export async function sharedValues(parameters: ReadonlyMap<string, tf.Variable>): Promise<ParameterValues> {
  const size = [...parameters.values()].reduce((sum, variable) => sum + variable.size, 0);
  const block = new SharedArrayBuffer(size * Float32Array.BYTES_PER_ELEMENT);
  const values = new Map<string, { shape: number[]; data: Float32Array }>();
  let offset = 0;
  for (const [name, variable] of parameters) {
    const data = new Float32Array(block, offset, variable.size);
    data.set(await variable.data<'float32'>());
    values.set(name, { shape: [...variable.shape], data });
    offset += data.byteLength;
  }
  return values;
}

/** The same values in memory of this thread, which is what every backend takes. */
export function ownValues(values: ParameterValues): ParameterValues {
  return new Map([...values].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
}
