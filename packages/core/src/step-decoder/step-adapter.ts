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

/** `b [rank, outputs]` of a module, scaling included, and where it lies beside the others of its matrix. */
interface ModuleUp {
  b: PackedMatrix;
  firstRank: number;
  firstOutput: number;
}

/** The adapter of one matrix: all its modules read the same input, so one product makes the ranks of all. */
interface MatrixAdapter {
  /** `[inputs, sum of ranks]` */
  a: PackedMatrix;
  ups: ModuleUp[];
  /** Of the whole matrix. */
  outputs: number;
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
    const { a, ups, outputs } = adapter;
    const ranks = a.shape.outputs;
    a.multiply(kernels, x, rows, this.low);
    for (const { b, firstRank, firstOutput } of ups) {
      const from = this.low + 4 * firstRank;
      const to = y + 4 * firstOutput;
      // A kernel reads and writes rows that follow each other; parts of rows go one by one, from a matrix small enough
      // to stay in the processor's caches.
      if (b.shape.inputs === ranks && b.shape.outputs === outputs) b.multiply(kernels, from, rows, to, 1);
      else for (let i = 0; i < rows; i++) b.multiply(kernels, from + 4 * i * ranks, 1, to + 4 * i * outputs, 1);
    }
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
    const ups: ModuleUp[] = [];
    const downs: FetchedModule[] = [];
    let firstOutput = 0;
    let firstRank = 0;
    for (const module of joinedModules[name]) {
      const { output } = moduleShape(config, module);
      const found = fetched.get(loraKey(layer, module));
      if (found !== undefined) {
        const b = PackedMatrix.pack(arena, { inputs: found.rank, outputs: output }, found.b);
        ups.push({ b, firstRank, firstOutput });
        downs.push(found);
        firstRank += found.rank;
      }
      firstOutput += output;
    }
    if (ups.length === 0) continue;
    const inputs = moduleShape(config, joinedModules[name][0]).input;
    const a = PackedMatrix.pack(arena, { inputs, outputs: firstRank }, sideBySide(downs, inputs, firstRank));
    packed[name] = { a, ups, outputs: firstOutput };
  }
  return packed;
}

/** Matrices `[inputs, rank]` as one `[inputs, ranks]`. */
function sideBySide(modules: readonly FetchedModule[], inputs: number, ranks: number): Float32Array {
  const joined = new Float32Array(inputs * ranks);
  let first = 0;
  for (const { a, rank } of modules) {
    for (let input = 0; input < inputs; input++) {
      joined.set(a.subarray(input * rank, (input + 1) * rank), input * ranks + first);
    }
    first += rank;
  }
  return joined;
}
