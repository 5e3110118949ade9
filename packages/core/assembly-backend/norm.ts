// Root-mean-square norm and its gradients.
import { multiplyAdd, sumOfLanes } from '../assembly/lanes';

/** `y = x * inverse * weight` with `inverse [rows] = 1 / sqrt(mean(x^2) + epsilon)`. */
export function normalize(x: usize, weight: usize, y: usize, inverse: usize, rows: i32, size: i32, epsilon: f32): void {
  const bytes = (<usize>size) << 2;
  const vectorBytes = (<usize>(size & ~3)) << 2;
  for (let row = 0; row < rows; row++) {
    const root: f32 = 1 / Mathf.sqrt(dot(x, x, size) / <f32>size + epsilon);
    store<f32>(inverse + ((<usize>row) << 2), root);
    const roots = f32x4.splat(root);
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), roots), v128.load(weight + i)));
    }
    for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) * root * load<f32>(weight + i));
    x += bytes;
    y += bytes;
  }
}

function dot(a: usize, b: usize, size: i32): f32 {
  const vectorBytes = (<usize>(size & ~3)) << 2;
  let sums = f32x4.splat(0);
  let i: usize = 0;
  for (; i < vectorBytes; i += 16) sums = multiplyAdd(sums, v128.load(a + i), v128.load(b + i));
  let sum = sumOfLanes(sums);
  for (; i < (<usize>size) << 2; i += 4) sum += load<f32>(a + i) * load<f32>(b + i);
  return sum;
}

/** `dx = inverse * (dy * weight - x * inverse^2 * mean(dy * weight * x))`. */
export function normalizeBack(
  dy: usize,
  x: usize,
  inverse: usize,
  weight: usize,
  dx: usize,
  rows: i32,
  size: i32,
): void {
  const bytes = (<usize>size) << 2;
  const vectorBytes = (<usize>(size & ~3)) << 2;
  for (let row = 0; row < rows; row++) {
    // First dy * weight is left in the place of dx.
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) v128.store(dx + i, f32x4.mul(v128.load(dy + i), v128.load(weight + i)));
    for (; i < bytes; i += 4) store<f32>(dx + i, load<f32>(dy + i) * load<f32>(weight + i));
    const root = load<f32>(inverse + ((<usize>row) << 2));
    const projection = (dot(dx, x, size) / <f32>size) * root * root;
    const roots = f32x4.splat(root);
    const projections = f32x4.splat(projection);
    i = 0;
    for (; i < vectorBytes; i += 16) {
      const along = f32x4.mul(v128.load(x + i), projections);
      v128.store(dx + i, f32x4.mul(roots, f32x4.sub(v128.load(dx + i), along)));
    }
    for (; i < bytes; i += 4) store<f32>(dx + i, root * (load<f32>(dx + i) - load<f32>(x + i) * projection));
    dy += bytes;
    x += bytes;
    dx += bytes;
  }
}

/** `dWeight [size] = sum over rows of dy * x * inverse`. */
export function normalizeWeightBack(dy: usize, x: usize, inverse: usize, dWeight: usize, rows: i32, size: i32): void {
  const bytes = (<usize>size) << 2;
  const vectorBytes = (<usize>(size & ~3)) << 2;
  memory.fill(dWeight, 0, bytes);
  for (let row = 0; row < rows; row++) {
    const root = load<f32>(inverse + ((<usize>row) << 2));
    const roots = f32x4.splat(root);
    let i: usize = 0;
    for (; i < vectorBytes; i += 16) {
      const normal = f32x4.mul(v128.load(x + i), roots);
      v128.store(dWeight + i, multiplyAdd(v128.load(dWeight + i), v128.load(dy + i), normal));
    }
    for (; i < bytes; i += 4) {
      store<f32>(dWeight + i, load<f32>(dWeight + i) + load<f32>(dy + i) * (load<f32>(x + i) * root));
    }
    dy += bytes;
    x += bytes;
  }
}
