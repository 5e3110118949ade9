// The gate of the feed-forward block and its gradient. Rows hold `size` gates, then `size` ups.
import { exponential } from '../assembly/exponential';
import { loadLanes } from './lanes';
import { storeLanes } from '../assembly/lanes';

function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}

/** `y = gate * sigmoid(gate) * up`. */
export function gatedActivation(x: usize, y: usize, rows: i32, size: i32): void {
  for (let row = 0; row < rows; row++) {
    const ups = x + ((<usize>size) << 2);
    for (let i = 0; i < size; i += 4) {
      const offset = (<usize>i) << 2;
      const gate = loadLanes(x + offset, size - i);
      const up = loadLanes(ups + offset, size - i);
      storeLanes(y + offset, f32x4.mul(f32x4.mul(gate, sigmoid(gate)), up), size - i);
    }
    x += (<usize>size) << 3;
    y += (<usize>size) << 2;
  }
}

/** Gradient with respect to `x`, `[rows, 2 * size]`. */
export function gatedActivationBack(dy: usize, x: usize, dx: usize, rows: i32, size: i32): void {
  const upOffset = (<usize>size) << 2;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i += 4) {
      const offset = (<usize>i) << 2;
      const count = size - i;
      const gate = loadLanes(x + offset, count);
      const up = loadLanes(x + upOffset + offset, count);
      const d = loadLanes(dy + offset, count);
      const open = sigmoid(gate);
      const silu = f32x4.mul(gate, open);
      // d silu = sigmoid * (1 + gate - silu)
      const slope = f32x4.mul(open, f32x4.sub(f32x4.add(gate, f32x4.splat(1)), silu));
      storeLanes(dx + offset, f32x4.mul(f32x4.mul(d, up), slope), count);
      storeLanes(dx + upOffset + offset, f32x4.mul(d, silu), count);
    }
    x += (<usize>size) << 3;
    dx += (<usize>size) << 3;
    dy += (<usize>size) << 2;
  }
}
