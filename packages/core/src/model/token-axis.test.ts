// Rows of tokens as heads and back, and the last tokens of each row with their gradient.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { asRows, asTokens, behindZeros, fromHeads, lastTokens, toHeads } from './token-axis.js';

beforeAll(() => startBackend({ backend: 'cpu' }));

it.each([1, 3])('heads of %i tokens lead, and come back as they were', (tokens) => {
  tf.tidy(() => {
    const [batch, heads, size] = [2, 2, 2];
    const x = tf.reshape(tf.range(0, batch * tokens * heads * size), [batch * tokens, heads * size]) as tf.Tensor2D;
    const apart = toHeads(x, batch, heads);
    expect(apart.shape).toEqual([batch, heads, tokens, size]);
    // The second head of the first row's last token.
    const last = tf.slice(apart, [0, 1, tokens - 1, 0], [1, 1, 1, size]);
    expect([...last.dataSync()]).toEqual([2, 3].map((column) => (tokens - 1) * heads * size + column));
    expect([...fromHeads(apart).dataSync()]).toEqual([...x.dataSync()]);
  });
});

it('the last tokens of each row are taken, and their gradient is put back behind zeros', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [6, 1]);
    const last = lastTokens(asTokens(x, 2), 2);
    expect([...asRows(last).dataSync()]).toEqual([2, 3, 5, 6]);
    expect([...asRows(behindZeros(last, 3)).dataSync()]).toEqual([0, 2, 3, 0, 5, 6]);
    const all = asTokens(x, 2);
    expect([lastTokens(all, 3), behindZeros(all, 3)]).toEqual([all, all]);
  });
});
