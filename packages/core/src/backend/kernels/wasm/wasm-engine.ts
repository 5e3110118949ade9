// The few internals of the tfjs wasm backend that our kernels build on, and views into its heap.
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs';

type CFunction = (...inputs: (number | boolean | Uint8Array)[]) => void;

interface HeapTensor {
  /** Number under which the C++ side knows the tensor. */
  id: number;
  /** Byte offset in the wasm heap. */
  memoryOffset: number;
}

/** `BackendWasm` of @tensorflow/tfjs-backend-wasm 4.22 as our kernels see it. */
export interface WasmEngine {
  readonly wasm: {
    cwrap(name: string, returns: null, parameters: readonly ('number' | 'array')[]): CFunction;
    readonly HEAPU8: Uint8Array;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
  readonly dataIdMap: { get(dataId: object): HeapTensor | undefined };
  dataIdNextNumber: number;
  makeOutput(shape: number[], dtype: TensorInfo['dtype']): TensorInfo;
  disposeData(dataId: object, force?: boolean): boolean;
}

/** Whether the backend object handed to a kernel has what `WasmEngine` names. */
export function isWasmEngine(backend: object): backend is WasmEngine & KernelBackend {
  return 'wasm' in backend && 'dataIdMap' in backend && 'dataIdNextNumber' in backend && 'makeOutput' in backend;
}

/** Narrows the backend object handed to a kernel. Throws on a version of the wasm backend with other internals. */
export function asWasmEngine(backend: object): WasmEngine {
  if (isWasmEngine(backend)) return backend;
  throw new Error('these kernels are written for @tensorflow/tfjs-backend-wasm 4.22; install that version');
}

/** The heap entry of a tensor. */
export function heapTensor(engine: WasmEngine, tensor: TensorInfo): HeapTensor {
  const found = engine.dataIdMap.get(tensor.dataId);
  if (found === undefined) throw new Error(`a tensor of shape [${tensor.shape.join(', ')}] is not on the wasm heap`);
  return found;
}

const functions = new WeakMap<WasmEngine, Map<string, CFunction>>();

/** The exported C++ kernel `name` of this backend instance. */
export function cFunction(engine: WasmEngine, name: string, parameters: readonly ('number' | 'array')[]): CFunction {
  const known = functions.get(engine) ?? new Map<string, CFunction>();
  functions.set(engine, known);
  let found = known.get(name);
  if (found === undefined) known.set(name, (found = engine.wasm.cwrap(name, null, parameters)));
  return found;
}

/** A shape as the C++ kernels take it: the bytes of an int32 array. */
export function shapeBytes(shape: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(shape).buffer);
}

/** The elements of a float32 tensor in place. Valid until the heap grows: take it after every allocation. */
export function float32View(engine: WasmEngine, tensor: TensorInfo): Float32Array {
  const size = tensor.shape.reduce((product, length) => product * length, 1);
  return new Float32Array(engine.wasm.HEAPU8.buffer, heapTensor(engine, tensor).memoryOffset, size);
}

/** The elements of an int32 tensor in place. Valid until the heap grows. */
export function int32View(engine: WasmEngine, tensor: TensorInfo): Int32Array {
  const size = tensor.shape.reduce((product, length) => product * length, 1);
  return new Int32Array(engine.wasm.HEAPU8.buffer, heapTensor(engine, tensor).memoryOffset, size);
}

/**
 * A number for the C++ side that can be pointed at any part of the heap: slices of a tensor are used in place, without
 * a copy. `release` also frees whatever the C++ side had cached for it (XNNPACK's packed weights).
 */
export class HeapView {
  readonly id: number;
  readonly #engine: WasmEngine;

  constructor(engine: WasmEngine) {
    this.#engine = engine;
    this.id = engine.dataIdNextNumber++;
  }

  /** Points the view at `size` elements from byte `memoryOffset` on. */
  point(size: number, memoryOffset: number): void {
    this.#engine.wasm.tfjs.disposeData(this.id);
    this.#engine.wasm.tfjs.registerTensor(this.id, size, memoryOffset);
  }

  release(): void {
    this.#engine.wasm.tfjs.disposeData(this.id);
  }
}
