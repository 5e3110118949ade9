// The layout of packed weight matrices: panels of sixteen outputs, in each panel the sixteen weights of every input in turn.
//
// Weights are stored as `f32`, or as `u16`: bfloat16, the upper halves of floats, as eight 32-bit words per input. Word i
// holds output i in its lower half and output i + 8 in its upper half, so that a shift and a mask make floats of them.

export const panelOutputs: i32 = 16;
/** Bytes of a panel's outputs, and of a quarter of them: a vector. */
export const panelRowBytes: usize = 64;
export const vectorBytes: usize = 16;

/** A quarter of an input's weights: outputs `4 * quarter` to `4 * quarter + 3`. */
export function quarterOf<T>(weights: usize, quarter: usize): v128 {
  if (isFloat<T>()) return v128.load(weights + vectorBytes * quarter);
  const words = v128.load(weights + vectorBytes * (quarter & 1));
  return quarter < 2 ? i32x4.shl(words, 16) : i32x4.shl(i32x4.shr_u(words, 16), 16);
}
