// Slice, Split, Concat and Transpose for the wasm backend where runs of memory stay whole: the backend's own kernels go
// element by element.
import * as tf from '@tensorflow/tfjs';
import { heapKernels } from './heap-kernels.js';
import { address, type WasmEngine } from './wasm-engine.js';

const elementBytes = 4;

/** Whether elements of this type are copied as they lie: four bytes each. */
export function hasRuns({ dtype }: tf.TensorInfo): boolean {
  return dtype === 'float32' || dtype === 'int32';
}

/** One axis of a copy: how many steps, and how far apart they are on both sides, in elements. */
interface Axis {
  count: number;
  from: number;
  to: number;
}

/** Row-major strides in elements. */
function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** Copies a box of elements; `axes` go from the outermost to the innermost. */
function copyBox(engine: WasmEngine, axes: readonly Axis[], from: number, to: number): void {
  if (axes.some(({ count }) => count === 0)) return;
  const merged: Axis[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    if (axis.count === 1) continue;
    if (outer?.from === axis.count * axis.from && outer.to === axis.count * axis.to) {
      merged[merged.length - 1] = { ...axis, count: axis.count * outer.count };
    } else {
      merged.push(axis);
    }
  }
  const whole = merged.at(-1)?.from === 1 && merged.at(-1)?.to === 1;
  const run = whole ? merged.pop()!.count : 1;
  const inner = merged.pop() ?? { count: 1, from: 0, to: 0 };
  const kernels = heapKernels(engine);
  const strides = [elementBytes * inner.from, elementBytes * inner.to] as const;
  const copy = (depth: number, source: number, target: number): void => {
    const axis = merged[depth];
    if (axis === undefined) {
      kernels.copyRuns(source, strides[0], target, strides[1], elementBytes * run, inner.count);
      return;
    }
    for (let step = 0; step < axis.count; step++) {
      copy(depth + 1, source + elementBytes * step * axis.from, target + elementBytes * step * axis.to);
    }
  };
  copy(0, from, to);
}

/** The box of `size` elements that begins at `begin`. */
export function slice(
  engine: WasmEngine,
  x: tf.TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): tf.TensorInfo {
  const out = engine.makeOutput([...size], x.dtype);
  const [xAt, outAt] = address(engine, x, out);
  const [from, to] = [stridesOf(x.shape), stridesOf(size)];
  const start = begin.reduce((sum, first, axis) => sum + first * from[axis]!, 0);
  const axes = size.map((count, axis) => ({ count, from: from[axis]!, to: to[axis]! }));
  copyBox(engine, axes, xAt + elementBytes * start, outAt);
  return out;
}

/** Parts of `x` along `axis`, of the given sizes. */
export function split(engine: WasmEngine, x: tf.TensorInfo, sizes: readonly number[], axis: number): tf.TensorInfo[] {
  let first = 0;
  return sizes.map((count) => {
    const begin = x.shape.map((_, i) => (i === axis ? first : 0));
    first += count;
    return slice(engine, x, begin, x.shape.map((length, i) => (i === axis ? count : length))); // prettier-ignore
  });
}

/** Tensors of equal shape but for `axis`, one after the other along it. */
export function concat(engine: WasmEngine, parts: readonly tf.TensorInfo[], axis: number): tf.TensorInfo {
  const first = parts[0]!;
  const total = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = first.shape.map((length, i) => (i === axis ? total : length));
  const out = engine.makeOutput(shape, first.dtype);
  const outer = tf.util.sizeFromShape(shape.slice(0, axis));
  const step = tf.util.sizeFromShape(shape.slice(axis + 1));
  let [to] = address(engine, out);
  for (const part of parts) {
    const run = part.shape[axis]! * step;
    const [from] = address(engine, part);
    copyBox(engine, [{ count: outer, from: run, to: total * step }, { count: run, from: 1, to: 1 }], from, to); // prettier-ignore
    to += elementBytes * run;
  }
  return out;
}

/** Axes in another order: axis `i` of the result is axis `order[i]` of `x`. */
export function permute(engine: WasmEngine, x: tf.TensorInfo, order: readonly number[]): tf.TensorInfo {
  const shape = order.map((axis) => x.shape[axis]!);
  const out = engine.makeOutput(shape, x.dtype);
  const [xAt, outAt] = address(engine, x, out);
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  const axes = shape.map((count, i) => ({ count, from: from[order[i]!]!, to: to[i]! }));
  copyBox(engine, axes, xAt, outAt);
  return out;
}
