// A weight matrix in the layout of the kernels, as bfloat16 where that loses nothing.
import { blockBytes, type Arena } from './arena.js';
import type { Kernels } from './kernels.js';
import type { MatrixShape, StepMatrix } from './step-matrix.js';

/** Outputs of a panel: for each input in turn, the weights of sixteen outputs side by side. */
export const panelOutputs = 16;

export type WeightStorage = 'float32' | 'bfloat16';

/** bfloat16 if every value is exactly representable in it, which is so when its lower 16 bits are zero. */
export function storageOf(values: Float32Array): WeightStorage {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) if ((words[i]! & 0xffff) !== 0) return 'float32';
  return 'bfloat16';
}

/** Bytes of memory that a packed matrix takes. */
export function packedBytes({ inputs, outputs }: MatrixShape, storage: WeightStorage = 'float32'): number {
  return blockBytes(panels(outputs) * inputs * wordsOfInput(storage) * 4);
}

/** The map `y = x W + bias` of `x [rows, inputs]` with a frozen `W`. */
export class PackedMatrix implements StepMatrix {
  private constructor(
    private readonly arena: Arena,
    readonly shape: MatrixShape,
    readonly storage: WeightStorage,
    private readonly weights: number,
    private readonly bias: number,
  ) {}

  /** Copies weights `[inputs, outputs]` and a bias `[outputs]`. */
  static pack(arena: Arena, shape: MatrixShape, values: Float32Array, bias?: Float32Array): PackedMatrix {
    const { inputs, outputs } = shape;
    const storage = storageOf(values);
    const length = panels(outputs) * inputs * wordsOfInput(storage);
    const weights = arena.allocate(4 * length);
    const biasAddress = bias === undefined ? 0 : arena.allocate(4 * outputs);
    if (bias !== undefined) arena.floats(biasAddress, outputs).set(bias);
    const target = arena.words(weights, length);
    const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
    if (storage === 'float32') packFloat32(source, shape, target);
    else packBfloat16(source, shape, target);
    return new PackedMatrix(arena, shape, storage, weights, biasAddress);
  }

  /** `y = x W + bias` for rows at addresses, or with `accumulate` added to what `y` holds. */
  multiply(kernels: Kernels, x: number, rows: number, y: number, accumulate: 0 | 1 = 0): void {
    const { inputs, outputs } = this.shape;
    const multiply = this.storage === 'float32' ? kernels.multiplyFloat32 : kernels.multiplyBfloat16;
    multiply(x, rows, inputs, this.weights, this.bias, outputs, y, accumulate);
  }

  /** Copies the weights of one output: of a head, the vector of a token. */
  copyOutput(output: number, to: Float32Array): void {
    const { inputs } = this.shape;
    const size = wordsOfInput(this.storage);
    const panel = Math.floor(output / panelOutputs);
    const place = output % panelOutputs;
    const words = this.arena.words(this.weights + 4 * panel * inputs * size, inputs * size);
    const bits = new Uint32Array(to.buffer, to.byteOffset, inputs);
    for (let input = 0; input < inputs; input++) {
      const word = words[input * size + (place % size)]!;
      if (this.storage === 'float32') bits[input] = word;
      else bits[input] = place < size ? word << 16 : word & 0xffff0000;
    }
  }
}

function panels(outputs: number): number {
  return Math.ceil(outputs / panelOutputs);
}

function wordsOfInput(storage: WeightStorage): number {
  return storage === 'float32' ? panelOutputs : panelOutputs / 2;
}

/**
 * Calls `copy` for all weights of an input in a panel: `from` is the place of the first of them in `[inputs, outputs]`,
 * `to` that in the packed words. A few inputs at a time go through all panels, for the rows of a large matrix lie so far
 * apart that more of them would drive each other out of the processor's caches.
 */
function forEachRun(
  { inputs, outputs }: MatrixShape,
  runWords: number,
  copy: (from: number, to: number, width: number) => void,
): void {
  const tile = 8;
  for (let firstInput = 0; firstInput < inputs; firstInput += tile) {
    const end = Math.min(firstInput + tile, inputs);
    for (let first = 0, panel = 0; first < outputs; first += panelOutputs, panel++) {
      const width = Math.min(panelOutputs, outputs - first);
      for (let input = firstInput; input < end; input++) {
        copy(input * outputs + first, (panel * inputs + input) * runWords, width);
      }
    }
  }
}

function packFloat32(source: Uint32Array, shape: MatrixShape, target: Uint32Array): void {
  forEachRun(shape, panelOutputs, (from, to, width) => {
    for (let i = 0; i < panelOutputs; i++) target[to + i] = i < width ? source[from + i]! : 0;
  });
}

/** Word i of an input holds output i in its lower half and output i + 8 in its upper half. */
function packBfloat16(source: Uint32Array, shape: MatrixShape, target: Uint32Array): void {
  const half = panelOutputs / 2;
  forEachRun(shape, half, (from, to, width) => {
    for (let i = 0; i < half; i++) {
      const lower = i < width ? source[from + i]! >>> 16 : 0;
      const upper = i + half < width ? source[from + i + half]! : 0;
      target[to + i] = lower | upper;
    }
  });
}
