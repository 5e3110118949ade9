// Where the memory of a loaded model is taken from, backend by backend.
import { backendNames, type BackendName } from '../backend/backend-info.js';
import type { MemoryEstimate } from '../reasoner/memory-estimate.js';
import { readableBytes } from '../reasoner/readable-bytes.js';

export interface BackendMemory {
  backend: BackendName;
  /** Bytes of ordinary memory to load the model. */
  mainMemory: number;
  /** Bytes of the device's own memory. */
  deviceMemory: number;
  /** Why the model cannot be loaded on this backend whatever memory there is. */
  problem?: string;
}

/** All that 32-bit addresses reach, less one page: the heap limit of tfjs's WebAssembly build. */
const wasmHeap = 2 ** 32 - 2 ** 16;

/** All but webgpu and tensorflow-gpu keep tensors in ordinary memory (so does webgpu on a software device). */
export function memoryByBackend({ weights, embeddingTable, loading, toLoad }: MemoryEstimate): BackendMemory[] {
  return backendNames.map((backend) => {
    const onDevice = backend === 'webgpu' || backend === 'tensorflow-gpu';
    const tooLarge = backend === 'wasm' && weights > wasmHeap;
    return {
      backend,
      mainMemory: onDevice ? embeddingTable + loading : toLoad,
      deviceMemory: onDevice ? weights : 0,
      ...(tooLarge && { problem: `more than the ${readableBytes(wasmHeap)} that WebAssembly can address` }),
    };
  });
}
