// Our compiled kernels on the heap of the tfjs wasm backend; assembly-backend/ has their sources.
import { instantiate, type WasmMemory } from '../../web-assembly.js';
import { heapKernelsBase64 } from './heap-kernels.wasm.js';
import { heapTensor, type WasmEngine } from './wasm-engine.js';

/** Arguments are counts, switches, addresses and strides in bytes; tensors are changed in place on the heap. */
export interface HeapKernels {
  multiply(
    a: number,
    transposeA: boolean,
    b: number,
    transposeB: boolean,
    c: number,
    rows: number,
    inner: number,
    columns: number,
    room: number,
  ): void;
  multiplyBytes(rows: number, inner: number): number;
  normalize(x: number, weight: number, y: number, inverse: number, rows: number, size: number, epsilon: number): void;
  normalizeBack(dy: number, x: number, inverse: number, weight: number, dx: number, rows: number, size: number): void;
  normalizeWeightBack(dy: number, x: number, inverse: number, dWeight: number, rows: number, size: number): void;
  rotate(x: number, y: number, cos: number, sin: number, tokens: number, size: number, back: boolean): void;
  gatedActivation(x: number, y: number, rows: number, size: number): void;
  gatedActivationBack(dy: number, x: number, dx: number, rows: number, size: number): void;
  attend(
    query: number,
    key: number,
    value: number,
    bias: number,
    output: number,
    rows: number,
    tokens: number,
    columns: number,
    size: number,
    room: number,
  ): void;
  attendBack(
    dOutput: number,
    query: number,
    key: number,
    value: number,
    bias: number,
    dQuery: number,
    dKey: number,
    dValue: number,
    rows: number,
    tokens: number,
    columns: number,
    size: number,
    room: number,
  ): void;
  attentionBytes(columns: number, size: number, back: boolean): number;
  crossEntropy(logits: number, labels: number, parts: number, rows: number, vocabulary: number): void;
  copyRuns(from: number, fromStride: number, to: number, toStride: number, bytes: number, count: number): void;
  sumRows(x: number, y: number, rows: number, columns: number): void;
}

const linked = new WeakMap<WasmEngine, HeapKernels>();

/** The kernels, linked to the memory of this backend at their first use. */
export function heapKernels(engine: WasmEngine): HeapKernels {
  let kernels = linked.get(engine);
  if (kernels === undefined) {
    kernels = instantiate(heapKernelsBase64, memoryOf(engine)) as HeapKernels;
    linked.set(engine, kernels);
  }
  return kernels;
}

/** The memory among the exports of the backend's own module. */
function memoryOf({ wasm }: WasmEngine): WasmMemory {
  for (const exported of Object.values(wasm.asm)) {
    if (isMemory(exported) && exported.buffer === wasm.HEAPU8.buffer) return exported;
  }
  throw new Error('the memory of the wasm backend was not found; install @tensorflow/tfjs-backend-wasm 4.22');
}

function isMemory(value: unknown): value is WasmMemory {
  return typeof value === 'object' && value !== null && 'buffer' in value && 'grow' in value;
}

/** Runs `use` with the address of `bytes` bytes of the heap, which are free again afterwards. */
export function withRoom(engine: WasmEngine, bytes: number, use: (address: number) => void): void {
  const room = engine.makeOutput([Math.ceil(bytes / 4)], 'float32');
  try {
    use(heapTensor(engine, room).memoryOffset);
  } finally {
    engine.disposeData(room.dataId);
  }
}
