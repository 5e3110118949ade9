// Says what is wrong when the values of a tensor on a GPU are asked for at once.
import { MemGenError } from '@memgen/common';
import type { KernelBackend } from '@tensorflow/tfjs';

/** `WebGPUBackend` of @tensorflow/tfjs-backend-webgpu 4.22 as it is used here. */
interface WebgpuEngine {
  tensorMap: { get(dataId: object): { values?: unknown; dtype: string } | undefined };
}

function isWebgpuEngine(backend: object): backend is WebgpuEngine & KernelBackend {
  return 'tensorMap' in backend && 'readSync' in backend && typeof backend.readSync === 'function';
}

/**
 * Node cannot wait for a GPU without giving way to its event loop, so `tensor.dataSync()` has no way to get values that
 * are only there; tfjs tries it with a browser's canvas and ends in a `ReferenceError`. From now on it is a
 * `MemGenError` (`webgpu-read`). Values that tfjs still holds in memory are given out as before, and `tensor.data()`
 * works for all.
 */
export function refuseSynchronousReads(backend: object): void {
  if (!isWebgpuEngine(backend)) throw new Error('this is not the WebGPU backend of tfjs 4.22; install that version');
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const data = backend.tensorMap.get(dataId);
    if (data === undefined || data.values != null || data.dtype === 'string') return readSync(dataId);
    throw new MemGenError({
      code: 'webgpu-read',
      message: 'the WebGPU backend cannot hand out values at once',
      got: 'a synchronous read (dataSync, arraySync) of a tensor on the GPU',
      expected: 'await tensor.data()',
      hint: 'nothing of this project reads so while it generates or trains: look for the call in the stack',
    });
  };
}
