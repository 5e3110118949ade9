// The gate of the feed-forward block: `gatedActivation` of assembly/elementwise.ts, to the bit.
#pragma once

#include "vectors.h"

namespace memgen {

/** `y = gate / (1 + e^-gate) * up` for rows that hold `size` gates, then `size` ups. */
AVX512 inline void activate_gates(const float* x, float* y, size_t rows, size_t size) {
  for (size_t row = 0; row < rows; row++) {
    for (size_t i = 0; i < size; i += kLanes) {
      const __mmask16 lanes = first_lanes(size - i);
      const __m512 gate = _mm512_maskz_loadu_ps(lanes, x + i);
      const __m512 up = _mm512_maskz_loadu_ps(lanes, x + size + i);
      const __m512 power = exponential(_mm512_mul_ps(gate, _mm512_set1_ps(-1)));
      const __m512 gated = _mm512_div_ps(gate, _mm512_add_ps(_mm512_set1_ps(1), power));
      _mm512_mask_storeu_ps(y + i, lanes, _mm512_mul_ps(gated, up));
    }
    x += 2 * size;
    y += size;
  }
}

}  // namespace memgen
