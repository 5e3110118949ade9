// Softmax of one row, with scale and bias.
import { exponential } from '../assembly/exponential';
import { largestLane, storeLanes, sumOfLanes } from '../assembly/lanes';
import { loadLanes } from './lanes';

/** Below it the exponential of a float is no ordinary float any more: here it is zero. */
const smallest: f32 = -87;

/** Lanes from `count` on replaced by `filler`. */
function fill(x: v128, count: i32, filler: f32): v128 {
  if (count >= 4) return x;
  const place = i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(0), 1, 1), 2, 2), 3, 3);
  return v128.bitselect(x, f32x4.splat(filler), i32x4.lt_s(place, i32x4.splat(count)));
}

/** Largest of `scale * x + bias`, which is left in the place of `x`; no bias is added where it is 0. */
export function addBias(x: usize, count: i32, scale: f32, bias: usize): f32 {
  const scales = f32x4.splat(scale);
  let largest = f32x4.splat(-Infinity);
  for (let i = 0; i < count; i += 4) {
    const offset = (<usize>i) << 2;
    let score = f32x4.mul(loadLanes(x + offset, count - i), scales);
    if (bias) score = f32x4.add(score, loadLanes(bias + offset, count - i));
    storeLanes(x + offset, score, count - i);
    largest = f32x4.max(largest, fill(score, count - i, -Infinity));
  }
  return largestLane(largest);
}

/** Replaces x by `e^(x - largest)` and returns the sum, taken in blocks: it may have very many terms. */
export function exponentialsOf(x: usize, count: i32, largest: f32): f32 {
  const shift = f32x4.splat(largest);
  const bound = f32x4.splat(smallest);
  let total: f64 = 0;
  for (let first = 0; first < count; first += 1024) {
    const end = min(count, first + 1024);
    let sums = f32x4.splat(0);
    for (let i = first; i < end; i += 4) {
      const offset = (<usize>i) << 2;
      const shifted = f32x4.sub(fill(loadLanes(x + offset, end - i), end - i, -Infinity), shift);
      const weights = v128.and(exponential(shifted), f32x4.ge(shifted, bound));
      storeLanes(x + offset, weights, end - i);
      sums = f32x4.add(sums, weights);
    }
    total += <f64>sumOfLanes(sums);
  }
  return <f32>total;
}

/** Multiplies `count` numbers by `factor`. */
export function scaleBy(x: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  for (let i = 0; i < count; i += 4) {
    const place = x + ((<usize>i) << 2);
    storeLanes(place, f32x4.mul(loadLanes(place, count - i), factors), count - i);
  }
}
