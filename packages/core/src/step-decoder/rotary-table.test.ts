// The table of rotations is that of the decoder, at every size it grows to.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { rotaryFactors } from '../model/attention-columns.js';
import { halfTurnMatrix } from '../ops/rotary.js';
import { Arena } from './arena.js';
import { RotaryTable } from './rotary-table.js';

beforeAll(async () => {
  await startBackend({ backend: 'cpu' });
});

it('equals rotaryFactors', () => {
  const settings = { inverseFrequencies: [1, 0.1, 0.0123], attentionScaling: 1.3 };
  const arena = new Arena();
  const table = new RotaryTable(arena, settings);
  for (const count of [1, 256, 257, 1500]) {
    table.reserve(count);
    for (const position of [0, count - 1]) {
      const { cos, sin } = tf.tidy(() => {
        const factors = rotaryFactors([[position]], settings, halfTurnMatrix(6));
        return { cos: factors.cos.dataSync().slice(0, 3), sin: factors.sin.dataSync().slice(0, 3) };
      });
      expect([...arena.floats(table.address(position), 6)]).toEqual([...cos, ...sin]);
    }
  }
});
