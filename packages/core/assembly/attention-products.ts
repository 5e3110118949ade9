// The inner loops of attention: products of queries with keys, and of weights with values. Each is a function of its own, for
// the reason that index.ts gives.
import { multiplyAdd } from './lanes';

/** Columns whose keys lie together. */
export const keyColumns: i32 = 32;

/** Products of a query with {@link keyColumns} keys; columns beyond the last give numbers without meaning. */
export function score(query: usize, keys: usize, headSize: i32, scores: usize): void {
  const queryEnd = query + ((<usize>headSize) << 2);
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  let sum4 = f32x4.splat(0);
  let sum5 = f32x4.splat(0);
  let sum6 = f32x4.splat(0);
  let sum7 = f32x4.splat(0);
  for (let channel = query; channel < queryEnd; channel += 4) {
    const q = v128.load32_splat(channel);
    sum0 = multiplyAdd(sum0, q, v128.load(keys));
    sum1 = multiplyAdd(sum1, q, v128.load(keys, 16));
    sum2 = multiplyAdd(sum2, q, v128.load(keys, 32));
    sum3 = multiplyAdd(sum3, q, v128.load(keys, 48));
    sum4 = multiplyAdd(sum4, q, v128.load(keys, 64));
    sum5 = multiplyAdd(sum5, q, v128.load(keys, 80));
    sum6 = multiplyAdd(sum6, q, v128.load(keys, 96));
    sum7 = multiplyAdd(sum7, q, v128.load(keys, 112));
    keys += keyColumns << 2;
  }
  v128.store(scores, sum0);
  v128.store(scores, sum1, 16);
  v128.store(scores, sum2, 32);
  v128.store(scores, sum3, 48);
  v128.store(scores, sum4, 64);
  v128.store(scores, sum5, 80);
  v128.store(scores, sum6, 96);
  v128.store(scores, sum7, 112);
}

/** Products of a query with both halves of a page's keys: vectors stand side by side, for the engine to join them. */
export function scoreWide(query: usize, keys: usize, headSize: i32, scores: usize): void {
  const queryEnd = query + ((<usize>headSize) << 2);
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  let sum4 = f32x4.splat(0);
  let sum5 = f32x4.splat(0);
  let sum6 = f32x4.splat(0);
  let sum7 = f32x4.splat(0);
  let sum8 = f32x4.splat(0);
  let sum9 = f32x4.splat(0);
  let sum10 = f32x4.splat(0);
  let sum11 = f32x4.splat(0);
  let sum12 = f32x4.splat(0);
  let sum13 = f32x4.splat(0);
  let sum14 = f32x4.splat(0);
  let sum15 = f32x4.splat(0);
  let second = keys + <usize>headSize * (keyColumns << 2);
  while (query < queryEnd) {
    const q = v128.load32_splat(query);
    sum0 = multiplyAdd(sum0, q, v128.load(keys));
    sum1 = multiplyAdd(sum1, q, v128.load(keys, 16));
    sum2 = multiplyAdd(sum2, q, v128.load(keys, 32));
    sum3 = multiplyAdd(sum3, q, v128.load(keys, 48));
    sum4 = multiplyAdd(sum4, q, v128.load(keys, 64));
    sum5 = multiplyAdd(sum5, q, v128.load(keys, 80));
    sum6 = multiplyAdd(sum6, q, v128.load(keys, 96));
    sum7 = multiplyAdd(sum7, q, v128.load(keys, 112));
    sum8 = multiplyAdd(sum8, q, v128.load(second));
    sum9 = multiplyAdd(sum9, q, v128.load(second, 16));
    sum10 = multiplyAdd(sum10, q, v128.load(second, 32));
    sum11 = multiplyAdd(sum11, q, v128.load(second, 48));
    sum12 = multiplyAdd(sum12, q, v128.load(second, 64));
    sum13 = multiplyAdd(sum13, q, v128.load(second, 80));
    sum14 = multiplyAdd(sum14, q, v128.load(second, 96));
    sum15 = multiplyAdd(sum15, q, v128.load(second, 112));
    query += 4;
    keys += keyColumns << 2;
    second += keyColumns << 2;
  }
  v128.store(scores, sum0);
  v128.store(scores, sum1, 16);
  v128.store(scores, sum2, 32);
  v128.store(scores, sum3, 48);
  v128.store(scores, sum4, 64);
  v128.store(scores, sum5, 80);
  v128.store(scores, sum6, 96);
  v128.store(scores, sum7, 112);
  v128.store(scores, sum8, 128);
  v128.store(scores, sum9, 144);
  v128.store(scores, sum10, 160);
  v128.store(scores, sum11, 176);
  v128.store(scores, sum12, 192);
  v128.store(scores, sum13, 208);
  v128.store(scores, sum14, 224);
  v128.store(scores, sum15, 240);
}

/** Adds the values of columns by their weights, 32 channels of them. */
export function mixChannels(output: usize, value: usize, headBytes: usize, weights: usize, weightsEnd: usize): void {
  let sum0 = v128.load(output);
  let sum1 = v128.load(output, 16);
  let sum2 = v128.load(output, 32);
  let sum3 = v128.load(output, 48);
  let sum4 = v128.load(output, 64);
  let sum5 = v128.load(output, 80);
  let sum6 = v128.load(output, 96);
  let sum7 = v128.load(output, 112);
  for (; weights < weightsEnd; weights += 4) {
    const weight = v128.load32_splat(weights);
    sum0 = multiplyAdd(sum0, weight, v128.load(value));
    sum1 = multiplyAdd(sum1, weight, v128.load(value, 16));
    sum2 = multiplyAdd(sum2, weight, v128.load(value, 32));
    sum3 = multiplyAdd(sum3, weight, v128.load(value, 48));
    sum4 = multiplyAdd(sum4, weight, v128.load(value, 64));
    sum5 = multiplyAdd(sum5, weight, v128.load(value, 80));
    sum6 = multiplyAdd(sum6, weight, v128.load(value, 96));
    sum7 = multiplyAdd(sum7, weight, v128.load(value, 112));
    value += headBytes;
  }
  v128.store(output, sum0);
  v128.store(output, sum1, 16);
  v128.store(output, sum2, 32);
  v128.store(output, sum3, 48);
  v128.store(output, sum4, 64);
  v128.store(output, sum5, 80);
  v128.store(output, sum6, 96);
  v128.store(output, sum7, 112);
}

/** {@link mixChannels} for 64 channels: vectors stand side by side, for the engine to join them. */
export function mixWide(output: usize, value: usize, headBytes: usize, weights: usize, weightsEnd: usize): void {
  let sum0 = v128.load(output);
  let sum1 = v128.load(output, 16);
  let sum2 = v128.load(output, 32);
  let sum3 = v128.load(output, 48);
  let sum4 = v128.load(output, 64);
  let sum5 = v128.load(output, 80);
  let sum6 = v128.load(output, 96);
  let sum7 = v128.load(output, 112);
  let sum8 = v128.load(output, 128);
  let sum9 = v128.load(output, 144);
  let sum10 = v128.load(output, 160);
  let sum11 = v128.load(output, 176);
  let sum12 = v128.load(output, 192);
  let sum13 = v128.load(output, 208);
  let sum14 = v128.load(output, 224);
  let sum15 = v128.load(output, 240);
  while (weights < weightsEnd) {
    const weight = v128.load32_splat(weights);
    sum0 = multiplyAdd(sum0, weight, v128.load(value));
    sum1 = multiplyAdd(sum1, weight, v128.load(value, 16));
    sum2 = multiplyAdd(sum2, weight, v128.load(value, 32));
    sum3 = multiplyAdd(sum3, weight, v128.load(value, 48));
    sum4 = multiplyAdd(sum4, weight, v128.load(value, 64));
    sum5 = multiplyAdd(sum5, weight, v128.load(value, 80));
    sum6 = multiplyAdd(sum6, weight, v128.load(value, 96));
    sum7 = multiplyAdd(sum7, weight, v128.load(value, 112));
    sum8 = multiplyAdd(sum8, weight, v128.load(value, 128));
    sum9 = multiplyAdd(sum9, weight, v128.load(value, 144));
    sum10 = multiplyAdd(sum10, weight, v128.load(value, 160));
    sum11 = multiplyAdd(sum11, weight, v128.load(value, 176));
    sum12 = multiplyAdd(sum12, weight, v128.load(value, 192));
    sum13 = multiplyAdd(sum13, weight, v128.load(value, 208));
    sum14 = multiplyAdd(sum14, weight, v128.load(value, 224));
    sum15 = multiplyAdd(sum15, weight, v128.load(value, 240));
    value += headBytes;
    weights += 4;
  }
  v128.store(output, sum0);
  v128.store(output, sum1, 16);
  v128.store(output, sum2, 32);
  v128.store(output, sum3, 48);
  v128.store(output, sum4, 64);
  v128.store(output, sum5, 80);
  v128.store(output, sum6, 96);
  v128.store(output, sum7, 112);
  v128.store(output, sum8, 128);
  v128.store(output, sum9, 144);
  v128.store(output, sum10, 160);
  v128.store(output, sum11, 176);
  v128.store(output, sum12, 192);
  v128.store(output, sum13, 208);
  v128.store(output, sum14, 224);
  v128.store(output, sum15, 240);
}
