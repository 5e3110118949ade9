// Copies the keys and values of a backend's cache into pages.
import { MemGenError } from '@memgen/common';
import type * as tf from '@tensorflow/tfjs';
import type { DecoderConfig } from '../model/decoder-config.js';
import type { KeyValueCache } from '../model/key-value-cache.js';
import type { Arena } from './arena.js';
import { keyColumns, pageColumns } from './kernels.js';
import { pageLayout } from './page-layout.js';
import type { PagedCache } from './step-cache.js';

/**
 * Appends the real columns of each row of `source` to the empty rows of `target`.
 * @throws MemGenError `step-decoder-cache` for a cache in parts or of another model, `step-decoder-memory`.
 */
export async function importKeysAndValues(
  source: KeyValueCache,
  config: DecoderConfig,
  arena: Arena,
  target: PagedCache,
): Promise<void> {
  checkSource(source, config);
  // A copy, for the batch may go on while the tensors are being fetched.
  const realColumns = source.columns.mask.map((row) => row.flatMap((real, column) => (real === 0 ? [] : [column])));
  const layers = Array.from({ length: config.layers }, (_, layer) => source.layer(layer));
  const counts = realColumns.map((columns) => columns.length);
  target.reserve(counts);
  const layout = pageLayout(config);
  for (const [layer, { keys, values }] of layers.entries()) {
    if (keys.length === 0) continue;
    const key = new HeadRows(keys[0]!.shape, await keys[0]!.data<'float32'>());
    const value = new HeadRows(values[0]!.shape, await values[0]!.data<'float32'>());
    realColumns.forEach((columns, row) => {
      const pages = target.pages(row);
      columns.forEach((column, position) => {
        const place = position % pageColumns;
        const page = pages[Math.floor(position / pageColumns)]! + layer * layout.layerBytes;
        for (let head = 0; head < config.keyValueHeads; head++) {
          const start = page + head * layout.headBytes;
          const pageKeys = arena.floats(start, config.headSize * pageColumns);
          const lane = place % keyColumns;
          const block = (place - lane) * config.headSize + lane;
          key.at(row, head, column).forEach((number, channel) => {
            pageKeys[block + channel * keyColumns] = number;
          });
          const pageValues = arena.floats(start + layout.valuesOffset, config.headSize * pageColumns);
          pageValues.set(value.at(row, head, column), place * config.headSize);
        }
      });
    });
  }
  target.advance(counts);
}

/** Vectors of a fetched tensor `[batch, heads, columns, size]`. */
class HeadRows {
  constructor(
    private readonly shape: tf.Tensor4D['shape'],
    private readonly numbers: Float32Array,
  ) {}

  at(row: number, head: number, column: number): Float32Array {
    const [, heads, columns, size] = this.shape;
    const start = ((row * heads + head) * columns + column) * size;
    return this.numbers.subarray(start, start + size);
  }
}

function checkSource(source: KeyValueCache, { layers, keyValueHeads, headSize }: DecoderConfig): void {
  const { batch, length } = source.columns;
  const expected = [batch, keyValueHeads, length, headSize];
  const refuse = (message: string, got: string) => {
    throw new MemGenError({
      code: 'step-decoder-cache',
      message,
      got,
      expected: `${layers} layers of [${expected.join(', ')}]`,
      hint: 'import a merged cache that this model has filled',
    });
  };
  if (source.ownership !== 'merged') refuse('only a merged cache can be taken over', `a cache in ${source.ownership}`);
  for (let layer = 0; layer < layers; layer++) {
    // A cache of a smaller model has fewer layers.
    const cached: Partial<ReturnType<KeyValueCache['layer']>> | undefined = source.layer(layer);
    for (const tensors of [cached?.keys, cached?.values]) {
      if (length === 0 && tensors?.length === 0) continue;
      const shape = tensors?.[0]?.shape;
      if (shape === undefined || shape.some((size, i) => size !== expected[i])) {
        refuse('the cache does not belong to this model', `[${shape?.join(', ') ?? ''}] in layer ${layer}`);
      }
    }
  }
}
