// Copies the keys and values of a backend's cache into pages.
import { MemGenError } from '@memgen/common';
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
    const tensors = { keys: await keys[0]!.data<'float32'>(), values: await values[0]!.data<'float32'>() };
    const [, heads, width, size] = keys[0]!.shape;
    realColumns.forEach((columns, row) => {
      target.pages(row).forEach((page, index) => {
        const inPage = columns.slice(index * pageColumns, (index + 1) * pageColumns);
        for (let head = 0; head < heads; head++) {
          const start = page + layer * layout.layerBytes + head * layout.headBytes;
          const first = (row * heads + head) * width;
          const places = inPage.map((column) => (first + column) * size);
          transposeKeys(tensors.keys, places, arena.floats(start, size * pageColumns), size);
          copyVectors(tensors.values, places, arena.floats(start + layout.valuesOffset, size * pageColumns), size);
        }
      });
    });
  }
  target.advance(counts);
}

/** Writes vectors as blocks of {@link keyColumns} columns, channel after channel. Prompts wait for this: plain loops. */
function transposeKeys(from: Float32Array, places: readonly number[], to: Float32Array, size: number): void {
  for (let column = 0; column < places.length; column++) {
    const lane = column % keyColumns;
    const source = places[column]!;
    let target = (column - lane) * size + lane;
    for (let channel = 0; channel < size; channel++) {
      to[target] = from[source + channel]!;
      target += keyColumns;
    }
  }
}

/** Writes vectors one after the other; those that follow each other already are copied at once. */
function copyVectors(from: Float32Array, places: readonly number[], to: Float32Array, size: number): void {
  let begin = 0;
  for (let column = 1; column <= places.length; column++) {
    if (column < places.length && places[column]! === places[column - 1]! + size) continue;
    to.set(from.subarray(places[begin], places[column - 1]! + size), begin * size);
    begin = column;
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
