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
