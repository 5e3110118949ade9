// What a pickle is made of once it is read: plain data, tensors and nothing that acts.
import type { StridedView } from './strided-view.js';
import type { ZipMember } from './zip-members.js';

/** A plain Python value: str, int or float, an int beyond 2^53, bool, None. */
export type PickleScalar = string | number | bigint | boolean | null;

export interface PickleDict {
  readonly kind: 'dict';
  /** In the order of the file. */
  readonly pairs: (readonly [key: PickleValue, value: PickleValue])[];
}

export interface PickleSequence {
  readonly kind: 'list' | 'tuple';
  readonly items: PickleValue[];
}

/** The name of something in a Python module; never the thing itself. */
export interface PickleGlobal {
  readonly kind: 'global';
  /** Module and name, e.g. `torch FloatStorage`. */
  readonly name: string;
}

/** A run of elements in one member of the zip file, which one or more tensors look at. */
export interface PickleStorage {
  readonly kind: 'storage';
  /** Of safetensors: `F32`, `BF16`, ... */
  readonly dtype: string;
  readonly elements: number;
  readonly member: ZipMember;
}

export interface PickleTensor {
  readonly kind: 'tensor';
  readonly storage: PickleStorage;
  /** Checked against the storage. */
  readonly view: StridedView;
}

export type PickleObject = PickleDict | PickleSequence | PickleGlobal | PickleStorage | PickleTensor;
export type PickleValue = PickleScalar | PickleObject;

export function isObject(value: PickleValue): value is PickleObject {
  return typeof value === 'object' && value !== null;
}

/** For messages, e.g. `str, int 6, tensor`; what comes after the first eight is only counted. */
export function describeValues(values: readonly PickleValue[]): string {
  const shown = values.slice(0, 8).map(describeValue).join(', ');
  return values.length > 8 ? `${shown}, ... (${values.length} in all)` : shown || 'nothing';
}

/** For messages: `str`, `int`, `dict`, `torch FloatStorage`, ... */
export function describeValue(value: PickleValue): string {
  if (value === null) return 'None';
  if (isObject(value)) return value.kind === 'global' ? value.name : value.kind;
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' || Number.isInteger(value) ? `int ${String(value)}` : `float ${value}`;
}
