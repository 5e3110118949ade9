// The few internals of the tfjs wasm backend that our kernels build on, and views into its heap.
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs';

interface HeapTensor {
  /** Byte offset in the wasm heap. */
  memoryOffset: number;
}

/** `BackendWasm` of @tensorflow/tfjs-backend-wasm 4.22 as our kernels see it. */
export interface WasmEngine {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    /** What the backend's WebAssembly module exports, its memory among it. */
    readonly asm: Readonly<Record<string, unknown>>;
  };
  readonly dataIdMap: { get(dataId: object): HeapTensor | undefined };
  /** With `values`, at a place of its own (`memoryOffset` absent). */
  makeOutput(shape: number[], dtype: TensorInfo['dtype'], memoryOffset?: undefined, values?: Float32Array): TensorInfo;
  /** One more tensor shares the data. */
  incRef(dataId: object): void;
  disposeData(dataId: object, force?: boolean): boolean;
}

/** Whether the backend object handed to a kernel has what `WasmEngine` names. */
export function isWasmEngine(backend: object): backend is WasmEngine & KernelBackend {
  return 'wasm' in backend && 'dataIdMap' in backend && 'makeOutput' in backend;
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

/** Byte offsets of tensors in the wasm heap. They stay when the heap grows. */
export function address<T extends readonly TensorInfo[]>(
  engine: WasmEngine,
  ...tensors: T
): { [K in keyof T]: number } {
  return tensors.map((tensor) => heapTensor(engine, tensor).memoryOffset) as { [K in keyof T]: number };
}

/** Throws unless all tensors hold float32. */
export function requireFloats(...tensors: readonly TensorInfo[]): void {
  const other = tensors.find(({ dtype }) => dtype !== 'float32');
  if (other !== undefined) throw new Error(`the kernel takes float32 tensors, got one of ${other.dtype}`);
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
