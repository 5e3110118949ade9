// Small rows, adapters and copies of parameters for tests of supervised training.
import { Random } from '@memgen/common';
import { LoraAdapter, type Decoder, type PlainSequence } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { randomIds } from '../../core/src/model/tiny-decoder.test-helper.js';

/** Rows of different lengths; labels begin after the first few tokens. */
export const plainRows: readonly PlainSequence[] = [
  [9, 4],
  [12, 3],
  [6, 5],
  [7, 2],
].map(([length, start], i) => {
  const ids = randomIds(length!, i + 1);
  return { ids, labels: ids.map((id, t) => (t >= start! ? id : -100)) };
});

/** An adapter whose second factor is not zero, as a new one's would be. The caller disposes. */
export function tinyAdapter(decoder: Decoder, { dropout = 0 }: { dropout?: number } = {}): LoraAdapter {
  const random = Random.fromSeed(1);
  const config = { r: 2, alpha: 4, dropout, targetModules: ['q_proj', 'v_proj', 'down_proj'] };
  const adapter = LoraAdapter.initialize(decoder.config, config, random);
  for (const [name, variable] of adapter.parameters()) {
    if (!name.endsWith('lora_B')) continue;
    const stream = random.fork(name);
    tf.tidy(() => {
      variable.assign(
        tf.tensor(
          Float32Array.from({ length: variable.size }, () => 0.2 * stream.normal()),
          variable.shape,
        ),
      );
    });
  }
  return adapter;
}

/** Copies of the values by name. */
export function valuesOf(parameters: ReadonlyMap<string, tf.Variable>): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, variable]) => [name, variable.dataSync().slice() as Float32Array]));
}
