// Keys and values of earlier columns, per layer.
import * as tf from '@tensorflow/tfjs';
import type { AttentionColumns } from './attention-columns.js';

interface LayerCache {
  keys: tf.Tensor4D[];
  values: tf.Tensor4D[];
}

/**
 * What a decoder remembers of the columns it has read. Two ways to own tensors:
 * - `"merged"` (generation): one tensor per layer, owned by the cache;
 * - `"parts"` (training): the parts as they came, owned by the execution that made them, so that gradients can flow.
 */
export class KeyValueCache {
  private layerCaches: LayerCache[];

  constructor(
    layers: number,
    readonly columns: AttentionColumns,
    readonly ownership: 'merged' | 'parts' = 'merged',
  ) {
    this.layerCaches = Array.from({ length: layers }, () => ({ keys: [], values: [] }));
  }

  layer(index: number): Readonly<LayerCache> {
    return this.layerCaches[index]!;
  }

  /** Adds the keys and values of new columns; the tensors belong to the cache when it is merged. */
  append(index: number, key: tf.Tensor4D, value: tf.Tensor4D): void {
    const { keys, values } = this.layerCaches[index]!;
    if (this.ownership === 'parts') {
      keys.push(key);
      values.push(value);
      return;
    }
    this.replace(
      index,
      keys.length === 0 ? key.clone() : tf.concat([...keys, key], 2),
      values.length === 0 ? value.clone() : tf.concat([...values, value], 2),
    );
  }

  /** Puts merged tensors, which hold the earlier columns too, in the place of the old ones. */
  replace(index: number, key: tf.Tensor4D, value: tf.Tensor4D): void {
    const cache = this.layerCaches[index]!;
    tf.dispose([cache.keys, cache.values]);
    cache.keys = [tf.keep(key)];
    cache.values = [tf.keep(value)];
  }

  /** A new merged cache with only the given batch rows, in the given order. */
  select(rows: readonly number[]): KeyValueCache {
    const copy = new KeyValueCache(this.layerCaches.length, this.columns.select(rows));
    tf.tidy(() => {
      const index = tf.tensor1d([...rows], 'int32');
      this.layerCaches.forEach(({ keys, values }, layer) => {
        if (keys.length === 0) return;
        const merged = (parts: tf.Tensor4D[]) => (parts.length === 1 ? parts[0]! : tf.concat(parts, 2));
        copy.replace(layer, tf.gather(merged(keys), index, 0), tf.gather(merged(values), index, 0));
      });
    });
    return copy;
  }

  /** Frees what the cache owns. */
  dispose(): void {
    if (this.ownership === 'merged') for (const { keys, values } of this.layerCaches) tf.dispose([keys, values]);
    this.layerCaches = this.layerCaches.map(() => ({ keys: [], values: [] }));
  }
}
