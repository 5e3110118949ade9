// A low-rank adapter in WebAssembly memory, and what it adds to the products of a layer.
import { MemGenError } from '@memgen/common';
import { checkAdapterFits } from '../model/adapter-fit.js';
import type { DecoderConfig } from '../model/decoder-config.js';
import { joinedModules, joinedNames, type JoinedName } from '../model/joined-modules.js';
import { loraKey, moduleShape, type LoraAdapter } from '../model/lora.js';
import type { Arena } from './arena.js';
import type { Kernels } from './kernels.js';
import { PackedMatrix } from './packed-matrix.js';

/** An adapter that a step decoder can read with. */
export interface StepAdapter {
  /** Frees the memory; the adapter cannot be used any more. */
  dispose(): void;
}

/** The adapter of one matrix: all its modules read the same input, so one product makes the ranks of all, one adds them. */
interface MatrixAdapter {
  /** `[inputs, sum of ranks]` */
  a: PackedMatrix;
  /** `[sum of ranks, outputs of the matrix]`, scaling included; zero where a rank belongs to another module. */
  b: PackedMatrix;
}

type LayerAdapter = Partial<Record<JoinedName, MatrixAdapter>>;

/** The {@link StepAdapter} of a decoder. */
export class PackedAdapter implements StepAdapter {
  private releaseOrNone: (() => void) | undefined;

  constructor(
    /** Tells adapters of different decoders apart. */
    readonly arena: Arena,
    private readonly layers: readonly LayerAdapter[],
    /** Address of room for the ranks of a block of columns. */
    private readonly low: number,
    release: () => void,
  ) {
    this.releaseOrNone = release;
  }

  /** @throws MemGenError `step-decoder-disposed` after {@link PackedAdapter.dispose}. */
  checkOpen(): void {
    if (this.releaseOrNone !== undefined) return;
    throw new MemGenError({
      code: 'step-decoder-disposed',
      message: 'the adapter of the step decoder has been disposed',
    });
  }

  /** Adds scaling * B (A x) to `y`, for rows at addresses. */
  add(kernels: Kernels, layer: number, name: JoinedName, x: number, rows: number, y: number): void {
    const adapter = this.layers[layer]?.[name];
    if (adapter === undefined) return;
    adapter.a.multiply(kernels, x, rows, this.low);
    adapter.b.multiply(kernels, this.low, rows, y, 1);
  }

  dispose(): void {
    this.releaseOrNone?.();
    this.releaseOrNone = undefined;
  }
}

/**
 * @param columns - most columns that are read together.
 * @throws MemGenError `adapter-shape` for an adapter of another model, `step-decoder-memory`.
 */
export async function packAdapter(
  adapter: LoraAdapter,
  { config, arena, columns }: { config: DecoderConfig; arena: Arena; columns: number },
): Promise<PackedAdapter> {
  arena.checkOpen();
  checkAdapterFits(adapter, config);
  // All is fetched first, so that packing is not interrupted and takes all the memory it needs or none.
  const fetched = new Map<string, FetchedModule>();
  for (const [key, { a, b, scaling }] of adapter.modules) {
    const values = { a: await a.data<'float32'>(), b: await b.data<'float32'>() };
    fetched.set(key, { a: values.a, b: values.b.map((value) => value * scaling), rank: a.shape[1] });
  }
  const { made, release } = arena.group(() => {
    const layers = Array.from({ length: config.layers }, (_, layer) => packLayer(fetched, layer, config, arena));
    const ranks = layers.flatMap((layer) => Object.values(layer).map(({ a }) => a.shape.outputs));
    return { layers, low: arena.allocate(4 * columns * Math.max(0, ...ranks)) };
  });
  return new PackedAdapter(arena, made.layers, made.low, release);
}

interface FetchedModule {
  /** `[inputs, rank]` */
  a: Float32Array;
  /** `[rank, outputs]`, scaled. */
  b: Float32Array;
  rank: number;
}

function packLayer(
  fetched: ReadonlyMap<string, FetchedModule>,
  layer: number,
  config: DecoderConfig,
  arena: Arena,
): LayerAdapter {
  const packed: LayerAdapter = {};
  for (const name of joinedNames) {
    const modules = joinedModules[name].map((module) => ({
      found: fetched.get(loraKey(layer, module)),
      ...moduleShape(config, module),
    }));
    const ranks = modules.reduce((sum, { found }) => sum + (found?.rank ?? 0), 0);
    if (ranks === 0) continue;
    const inputs = modules[0]!.input;
    const outputs = modules.reduce((sum, { output }) => sum + output, 0);
    const a = new Float32Array(inputs * ranks);
    const b = new Float32Array(ranks * outputs);
    let firstRank = 0;
    let firstOutput = 0;
    for (const { found, output } of modules) {
      if (found !== undefined) {
        place(found.a, found.rank, a.subarray(firstRank), ranks);
        place(found.b, output, b.subarray(firstRank * outputs + firstOutput), outputs);
        firstRank += found.rank;
      }
      firstOutput += output;
    }
    packed[name] = {
      a: PackedMatrix.pack(arena, { inputs, outputs: ranks }, a),
      b: PackedMatrix.pack(arena, { inputs: ranks, outputs }, b),
    };
  }
  return packed;
}

/** Copies a matrix of rows of `width` into one of rows of `toWidth`. */
function place(from: Float32Array, width: number, to: Float32Array, toWidth: number): void {
  for (let row = 0; row * width < from.length; row++) {
    to.set(from.subarray(row * width, (row + 1) * width), row * toWidth);
  }
}
