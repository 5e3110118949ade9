// Vectors of four floats: multiply and add, sums, and stores of fewer than four.

/** `sum + a * b` per lane; rounded once where the module is built with relaxed SIMD and the processor has such an instruction. */
export function multiplyAdd(sum: v128, a: v128, b: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, sum) : f32x4.add(sum, f32x4.mul(a, b));
}

/** Sum of the four lanes. */
export function sumOfLanes(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Largest of the four lanes. */
export function largestLane(x: v128): f32 {
  const pairs = f32x4.max(x, v128.shuffle<f32>(x, x, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** Stores the first `count` lanes; nothing for a count below one, all four for one above. */
export function storeLanes(to: usize, x: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, x);
  } else if (count > 0) {
    v128.store32_lane(to, x, 0);
    if (count > 1) v128.store32_lane(to, x, 1, 4);
    if (count > 2) v128.store32_lane(to, x, 2, 8);
  }
}

/** Stores sixteen sums, or adds them to what is there. */
export function storePanel(sum0: v128, sum1: v128, sum2: v128, sum3: v128, y: usize, accumulate: bool): void {
  if (accumulate) {
    sum0 = f32x4.add(sum0, v128.load(y));
    sum1 = f32x4.add(sum1, v128.load(y, 16));
    sum2 = f32x4.add(sum2, v128.load(y, 32));
    sum3 = f32x4.add(sum3, v128.load(y, 48));
  }
  v128.store(y, sum0);
  v128.store(y, sum1, 16);
  v128.store(y, sum2, 32);
  v128.store(y, sum3, 48);
}
