// The way of a block of columns through the layers, kernel by kernel.
import type { DecoderConfig } from '../model/decoder-config.js';
import { blockBytes, type Arena } from './arena.js';
import { attentionTaskWords, pageColumns, type Kernels } from './kernels.js';
import { pageLayout } from './page-layout.js';
import { RotaryTable } from './rotary-table.js';
import type { PackedAdapter } from './step-adapter.js';
import { matrixShapes, type StepLayer, type StepWeights } from './step-weights.js';

/** What a pass needs beside its inputs. */
interface PassOptions {
  /** Address for the final hidden states of the columns that are wanted, `[wanted, hidden]`. */
  output: number;
  /** Address of room for each thread, one after the other. */
  scores: number;
  /** Of one thread; see {@link Kernels.attend}. */
  scoresBytes: number;
  adapter?: PackedAdapter | undefined;
}

/** A column on its way through the layers. */
export interface Column {
  /** Address of the list of its row's pages. */
  pageList: number;
  /** Address of the page in which the column is stored. */
  page: number;
  position: number;
  /** Length of its row after this read. */
  length: number;
  /** Whether its final hidden state is; else it leaves only its keys and values. */
  wanted: boolean;
}

type VectorName = 'residual' | 'normed' | 'queryKeyValue' | 'mixed' | 'gates' | 'activated';

/** Lengths of the vectors that a column has between kernels. */
function vectorSizes(config: DecoderConfig): Record<VectorName, number> {
  const shapes = matrixShapes(config);
  return {
    residual: config.hiddenSize,
    normed: config.hiddenSize,
    queryKeyValue: shapes.queryKeyValue.outputs,
    mixed: shapes.output.inputs,
    gates: shapes.gateUp.outputs,
    activated: shapes.down.inputs,
  };
}

/** Bytes of the vectors of a block. */
export function passBytes(config: DecoderConfig, block: number): number {
  const sizes = [...Object.values(vectorSizes(config)), attentionTaskWords];
  return sizes.reduce((sum, size) => sum + blockBytes(4 * size * block), 0);
}

/** Owns the room for the vectors of a block. */
export class LayerPass {
  readonly rotary: RotaryTable;
  private readonly vectors: Record<VectorName, number>;
  private readonly tasks: number;
  private readonly layout: ReturnType<typeof pageLayout>;

  constructor(
    private readonly config: DecoderConfig,
    private readonly weights: StepWeights,
    private readonly kernels: Kernels,
    private readonly arena: Arena,
    /** Most columns of a run. */
    columns: number,
  ) {
    this.rotary = new RotaryTable(arena, config.rotary);
    this.layout = pageLayout(config);
    this.tasks = arena.allocate(4 * attentionTaskWords * columns);
    const sizes = vectorSizes(config);
    const block = (name: VectorName) => arena.allocate(4 * sizes[name] * columns);
    this.vectors = {
      residual: block('residual'),
      normed: block('normed'),
      queryKeyValue: block('queryKeyValue'),
      mixed: block('mixed'),
      gates: block('gates'),
      activated: block('activated'),
    };
  }

  /**
   * Stores keys and values of the columns in their pages and writes the final hidden states that are wanted.
   * @param inputs - `[columns, hidden]`, at most as many columns as there is room for; earlier ones of a row come first.
   * @returns how many states it has written.
   */
  run(inputs: Float32Array, columns: readonly Column[], options: PassOptions): number {
    const { residual } = this.vectors;
    const { layers, finalNorm } = this.weights;
    this.arena.floats(residual, inputs.length).set(inputs);
    this.writeTasks(columns);
    let count = columns.length;
    layers.forEach((layer, index) => {
      this.keysAndValues(layer, index, columns, options);
      if (index === layers.length - 1) count = this.keepWanted(columns);
      if (count === 0) return;
      this.attention(layer, index, count, options);
      this.feedForward(layer, index, count, options);
    });
    this.norm(residual, finalNorm, options.output, count);
    return count;
  }

  /** Queries, keys and values of the columns; the latter two are stored. */
  private keysAndValues(layer: StepLayer, index: number, columns: readonly Column[], { adapter }: PassOptions): void {
    const { kernels, config } = this;
    const { heads, keyValueHeads, headSize } = config;
    const { residual, normed, queryKeyValue } = this.vectors;
    const { outputs } = layer.queryKeyValue.shape;
    const offset = index * this.layout.layerBytes;
    this.norm(residual, layer.attentionNorm, normed, columns.length);
    layer.queryKeyValue.multiply(kernels, normed, columns.length, queryKeyValue);
    adapter?.add(kernels, index, 'queryKeyValue', normed, columns.length, queryKeyValue);
    columns.forEach(({ page, position, length }, i) => {
      const query = queryKeyValue + 4 * i * outputs;
      const key = query + 4 * heads * headSize;
      const value = key + 4 * keyValueHeads * headSize;
      this.headNorm(query, layer.queryNorm, heads);
      this.headNorm(key, layer.keyNorm, keyValueHeads);
      if (config.layerUsesRotary[index] === true) {
        kernels.rotate(query, heads + keyValueHeads, headSize, this.rotary.address(position, length));
      }
      kernels.storeColumn(key, value, page + offset, position % pageColumns, keyValueHeads, headSize);
    });
  }

  private attention(layer: StepLayer, index: number, count: number, options: PassOptions): void {
    const { scores, scoresBytes, adapter } = options;
    const { kernels } = this;
    const { heads, keyValueHeads, headSize } = this.config;
    const { residual, mixed } = this.vectors;
    const offset = index * this.layout.layerBytes;
    kernels.attend(this.tasks, count, offset, heads, heads / keyValueHeads, headSize, scores, scoresBytes);
    layer.output.multiply(kernels, mixed, count, residual, 1);
    adapter?.add(kernels, index, 'output', mixed, count, residual);
  }

  private feedForward(layer: StepLayer, index: number, count: number, { adapter }: PassOptions): void {
    const { kernels } = this;
    const { residual, normed, gates, activated } = this.vectors;
    this.norm(residual, layer.feedForwardNorm, normed, count);
    layer.gateUp.multiply(kernels, normed, count, gates);
    adapter?.add(kernels, index, 'gateUp', normed, count, gates);
    kernels.gatedActivation(gates, activated, count, this.config.intermediateSize);
    layer.down.multiply(kernels, activated, count, residual, 1);
    adapter?.add(kernels, index, 'down', activated, count, residual);
  }

  /** What each column attends to, which is the same in all layers. */
  private writeTasks(columns: readonly Column[]): void {
    const { queryKeyValue, mixed } = this.vectors;
    const { queryKeyValue: joined, output } = matrixShapes(this.config);
    const tasks = this.arena.words(this.tasks, attentionTaskWords * columns.length);
    columns.forEach(({ pageList, position }, i) => {
      const query = queryKeyValue + 4 * i * joined.outputs;
      tasks.set([query, mixed + 4 * i * output.inputs, pageList, position + 1], attentionTaskWords * i);
    });
  }

  /** Moves what the wanted columns go on with to the front. @returns how many they are. */
  private keepWanted(columns: readonly Column[]): number {
    const { hiddenSize } = this.config;
    const { residual, mixed } = this.vectors;
    const { inputs } = matrixShapes(this.config).output;
    const states = this.arena.floats(residual, hiddenSize * columns.length);
    const tasks = this.arena.words(this.tasks, attentionTaskWords * columns.length);
    let count = 0;
    columns.forEach(({ wanted }, i) => {
      if (!wanted) return;
      states.copyWithin(count * hiddenSize, i * hiddenSize, (i + 1) * hiddenSize);
      tasks.copyWithin(count * attentionTaskWords, i * attentionTaskWords, (i + 1) * attentionTaskWords);
      tasks[count * attentionTaskWords + 1] = mixed + 4 * count * inputs;
      count++;
    });
    return count;
  }

  private norm(x: number, weight: number, y: number, rows: number): void {
    this.kernels.rmsNorm(x, weight, y, rows, this.config.hiddenSize, this.config.rmsNormEpsilon);
  }

  private headNorm(x: number, weight: number | undefined, heads: number): void {
    if (weight === undefined) return;
    this.kernels.rmsNorm(x, weight, x, heads, this.config.headSize, this.config.rmsNormEpsilon);
  }
}
