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

const fixed = { inverseFrequencies: [1, 0.1, 0.0123], attentionScaling: 1.3 };
const dynamic = { ...fixed, dynamic: { theta: 100, factor: 2, maxPositions: 256 } };

it.each([fixed, dynamic])('equals rotaryFactors: %o', (settings) => {
  const arena = new Arena();
  const table = new RotaryTable(arena, settings);
  for (const count of [1, 256, 257, 1500]) {
    table.reserve(count);
    for (const position of [0, count - 1]) {
      const { cos, sin } = tf.tidy(() => {
        // The last position of a row says how long it is.
        const factors = rotaryFactors([[position, count - 1]], settings, halfTurnMatrix(6));
        return { cos: factors.cos.dataSync().slice(0, 3), sin: factors.sin.dataSync().slice(0, 3) };
      });
      expect([...arena.floats(table.address(position, count), 6)]).toEqual([...cos, ...sin]);
    }
  }
});
