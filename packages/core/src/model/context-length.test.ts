// How long sequences may become under each kind of rotary scaling.
import { expect, it } from 'vitest';
import { contextLength } from './context-length.js';
import { tinyConfig } from './tiny-decoder.test-helper.js';

it.each<[string, Record<string, unknown> | null, number]>([
  ['none', null, 128],
  ['linear', { rope_type: 'linear', factor: 2.5 }, 320],
  ['dynamic', { rope_type: 'dynamic', factor: 4 }, 512],
  ['yarn of a length that is not stretched yet', { rope_type: 'yarn', factor: 4 }, 512],
  ['yarn of one that is', { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 }, 128],
  [
    'llama3',
    { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 16 },
    128,
  ],
  ['a factor that would shorten', { rope_type: 'linear', factor: 0.5 }, 128],
])('%s', (_, scaling, expected) => {
  expect(contextLength(tinyConfig({ rope_scaling: scaling }))).toBe(expected);
});
