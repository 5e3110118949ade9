// The compiled kernels as typed functions; assembly/ has their sources and says what each computes.
import { kernelsBase64 } from './kernels.wasm.js';
import type { NativeKernels } from '../backend/native/native-kernels.js';
import { compile, link, type WasmMemory } from '../backend/web-assembly.js';

/** Product with a packed matrix; `bias` is 0 where there is none, `accumulate` 1 to add to what `y` holds. */
type Multiply = (
  x: number,
  rows: number,
  inputs: number,
  weights: number,
  bias: number,
  outputs: number,
  y: number,
  accumulate: 0 | 1,
) => void;

/**
 * Attention of `count` columns, described by tasks of {@link attentionTaskWords} words. Each thread that takes part has
 * `scoresBytes` of the room at `scores`: {@link scoreRows} times a float per column of the longest row's pages.
 */
type Attend = (
  tasks: number,
  count: number,
  layerOffset: number,
  heads: number,
  group: number,
  headSize: number,
  scores: number,
  scoresBytes: number,
) => void;

/** Queries that share keys and values go through them together, as many as native/attention.h keeps sums for. */
const queriesTogether = 12;

/** Columns of a row that go through keys and values together, for so many heads in a group. */
export function columnsTogether(group: number): number {
  return Math.max(1, Math.floor(queriesTogether / group));
}

/** Queries for whose scores a thread needs room. */
export function scoreRows(group: number): number {
  return group * columnsTogether(group);
}

/** Words of a task: addresses of query, output and list of pages, and the number of columns to attend to. */
export const attentionTaskWords = 4;

/** Arguments are counts and addresses in bytes. */
export interface Kernels {
  multiplyFloat32: Multiply;
  multiplyBfloat16: Multiply;
  rmsNorm(x: number, weight: number, y: number, rows: number, size: number, epsilon: number): void;
  rotate(x: number, heads: number, headSize: number, factors: number): void;
  storeColumn(key: number, value: number, page: number, column: number, keyValueHeads: number, headSize: number): void;
  attend: Attend;
  gatedActivation(x: number, y: number, rows: number, size: number): void;
  exponentials(x: number, y: number, bytes: number, shift: number, factor: number): void;
}

/** Columns of a page of keys and values; the kernels count on it. */
export const pageColumns = 64;

/** Columns of a page whose keys lie together. */
export const keyColumns = 32;

/** What threads do together; see assembly/threads.ts. */
export interface SharedKernels extends Kernels {
  multiplyTogether(control: number, wide: 0 | 1, part: number, ...product: Parameters<Multiply>): void;
  attendTogether(control: number, part: number, ...attention: Parameters<Attend>): void;
  gateTogether(control: number, part: number, ...activation: Parameters<Kernels['gatedActivation']>): void;
  normTogether(control: number, part: number, ...norm: Parameters<Kernels['rmsNorm']>): void;
  /** Ends the work of the other threads. */
  dismiss(control: number): void;
}

let compiled: object | undefined;

/** The compiled module, which threads can share. */
export function kernelModule(): object {
  return (compiled ??= compile(kernelsBase64));
}

/**
 * @param memory - a shared one.
 * @param native - computes in place of the module where it can. @default none
 */
export function createKernels(memory: WasmMemory, native?: NativeKernels): SharedKernels {
  return link(kernelModule(), memory, native?.over(memory)) as SharedKernels;
}
