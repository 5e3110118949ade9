// Tile for the wasm backend by copying runs of memory; the backend's own kernel copies element by element.
import * as tf from '@tensorflow/tfjs';
import type { WasmEngine } from './wasm-engine.js';
import { heapTensor } from './wasm-engine.js';

/** Repeats `x` `repetitions[axis]` times along every axis. The caller owns the result. */
export function tile(engine: WasmEngine, x: tf.TensorInfo, repetitions: readonly number[]): tf.TensorInfo {
  const shape = [...x.shape];
  let current = x;
  // Inner axes first: what is repeated along an outer axis is then already complete.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const times = repetitions[axis] ?? 1;
    if (times === 1 && !(axis === 0 && current === x)) continue;
    const runs = tf.util.sizeFromShape(shape.slice(0, axis));
    const runBytes = tf.util.bytesPerElement(x.dtype) * tf.util.sizeFromShape(shape.slice(axis));
    shape[axis] = shape[axis]! * times;
    const next = engine.makeOutput([...shape], x.dtype);
    repeatRuns(engine, { from: current, to: next, runs, runBytes, times });
    if (current !== x) engine.disposeData(current.dataId);
    current = next;
  }
  return current;
}

function repeatRuns(
  engine: WasmEngine,
  {
    from,
    to,
    runs,
    runBytes,
    times,
  }: { from: tf.TensorInfo; to: tf.TensorInfo; runs: number; runBytes: number; times: number },
): void {
  const heap = engine.wasm.HEAPU8;
  const source = heapTensor(engine, from).memoryOffset;
  const target = heapTensor(engine, to).memoryOffset;
  for (let run = 0; run < runs; run++) {
    const start = target + run * runBytes * times;
    const total = runBytes * times;
    if (total === 0) return;
    heap.copyWithin(start, source + run * runBytes, source + (run + 1) * runBytes);
    // Doubling what is there takes fewer calls than copying one by one.
    for (let done = runBytes; done < total; done *= 2) {
      heap.copyWithin(start + done, start, start + Math.min(done, total - done));
    }
  }
}
