// Reads the loosely typed arguments that tfjs hands to a kernel.
import type * as tf from '@tensorflow/tfjs';

/** The input tensor `name`, which the operation always passes. */
export function inputOf(inputs: tf.NamedTensorInfoMap, name: string): tf.TensorInfo {
  const input = inputs[name];
  if (input === undefined) throw new Error(`the kernel was called without its input ${name}`);
  return input;
}

/** A number list attribute; one number counts as a list of one. */
export function numbersOf(attributes: tf.NamedAttrMap | undefined, name: string): number[] {
  const value = attributes?.[name];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((entry) => typeof entry === 'number');
}

/** A number attribute, 0 if absent. */
export function numberOf(attributes: tf.NamedAttrMap | undefined, name: string): number {
  return numbersOf(attributes, name)[0] ?? 0;
}

/** A switch attribute, false if absent. */
export function switchOf(attributes: tf.NamedAttrMap | undefined, name: string): boolean {
  return attributes?.[name] === true;
}
