// What happens between the products: norms, rotation of positions, the gate of the feed-forward block.
import { exponential, exponentials } from './exponential';
import { multiplyAdd, storeLanes, sumOfLanes } from './lanes';
import * as native from './native';

/** Root-mean-square norm of each of `rows` vectors: `y = x / sqrt(mean(x^2) + epsilon) * weight`. `y` may be `x`. */
export function rmsNorm(x: usize, weight: usize, y: usize, rows: i32, size: i32, epsilon: f32): void {
  const bytes = (<usize>size) << 2;
  const vectorBytes = (<usize>(size & ~3)) << 2;
  for (let row = 0; row < rows; row++) {
    let squares = f32x4.splat(0);
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const part = v128.load(x + i);
      squares = multiplyAdd(squares, part, part);
    }
    let sum = sumOfLanes(squares);
    for (; i < bytes; i += 4) sum += load<f32>(x + i) * load<f32>(x + i);
    const inverse: f32 = 1 / Mathf.sqrt(sum / <f32>size + epsilon);
    const inverses = f32x4.splat(inverse);
    i = 0;
    for (; i < vectorBytes; i += 16) {
      v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), inverses), v128.load(weight + i)));
    }
    for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) * inverse * load<f32>(weight + i));
    x += bytes;
    y += bytes;
  }
}

/**
 * Rotates the halves (a, b) of each head to (a cos - b sin, b cos + a sin), in place.
 * @param factors - cosines, then sines, of one position: `headSize / 2` each.
 */
export function rotate(x: usize, heads: i32, headSize: i32, factors: usize): void {
  const half = (<usize>(headSize >> 1)) << 2;
  const vectorBytes = half & ~15;
  const sines = factors + half;
  for (let head = 0; head < heads; head++) {
    const upper = x + half;
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const a = v128.load(x + i);
      const b = v128.load(upper + i);
      const cos = v128.load(factors + i);
      const sin = v128.load(sines + i);
      v128.store(x + i, f32x4.sub(f32x4.mul(a, cos), f32x4.mul(b, sin)));
      v128.store(upper + i, f32x4.add(f32x4.mul(b, cos), f32x4.mul(a, sin)));
    }
    for (; i < half; i += 4) {
      const a = load<f32>(x + i);
      const b = load<f32>(upper + i);
      const cos = load<f32>(factors + i);
      const sin = load<f32>(sines + i);
      store<f32>(x + i, a * cos - b * sin);
      store<f32>(upper + i, b * cos + a * sin);
    }
    x += half << 1;
  }
}

/** `y = gate / (1 + e^-gate) * up` for rows that hold `size` gates, then `size` ups. */
export function gatedActivation(x: usize, y: usize, rows: i32, size: i32): void {
  if (native.present) {
    native.activate(x, y, rows, size);
    return;
  }
  const bytes = (<usize>size) << 2;
  const pairBytes = bytes & ~31;
  for (let row = 0; row < rows; row++) {
    const ups = x + bytes;
    exponentials(x, y, pairBytes, 0, -1);
    activate(x, ups, y, pairBytes);
    for (let i = pairBytes; i < bytes; i += 16) {
      // The last vector may reach beyond its row; those lanes are not stored.
      const power = exponential(f32x4.neg(v128.load(x + i)));
      storeLanes(y + i, activated(power, x + i, ups + i), <i32>((bytes - i) >> 2));
    }
    x += bytes << 1;
    y += bytes;
  }
}

/** {@link gatedActivation} where `y` holds `e^-gate`, of whole pairs of vectors, side by side for the engine to join them. */
export function activate(gates: usize, ups: usize, y: usize, bytes: usize): void {
  const end = y + bytes;
  while (y < end) {
    const low = activated(v128.load(y), gates, ups);
    const high = activated(v128.load(y, 16), gates + 16, ups + 16);
    v128.store(y, low);
    v128.store(y, high, 16);
    gates += 32;
    ups += 32;
    y += 32;
  }
}

function activated(power: v128, gates: usize, ups: usize): v128 {
  const gated = f32x4.div(v128.load(gates), f32x4.add(f32x4.splat(1), power));
  return f32x4.mul(gated, v128.load(ups));
}
