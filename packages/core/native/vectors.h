// Vectors of sixteen floats.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

/** Functions that use the instructions; the rest of the addon runs on any processor. */
#define AVX512 __attribute__((target("avx512f")))

namespace memgen {

constexpr size_t kLanes = 16;

/** The first `count` lanes, all for a count above. */
AVX512 inline __mmask16 first_lanes(size_t count) {
  return count >= kLanes ? 0xffff : static_cast<__mmask16>((1u << count) - 1);
}

/** `e^x` as assembly/exponential.ts computes it, to the bit. */
AVX512 inline __m512 exponential(__m512 x) {
  // A number that is none stays so: the second operand is what comes out then.
  x = _mm512_min_ps(_mm512_set1_ps(88.37f), _mm512_max_ps(_mm512_set1_ps(-87.33f), x));
  const __m512 rounding = _mm512_set1_ps(12582912.0f);
  const __m512 rounded = _mm512_fmadd_ps(x, _mm512_set1_ps(1.44269504089f), rounding);
  const __m512 n = _mm512_sub_ps(rounded, rounding);
  __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(-0.693359375f), x);
  r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.1219444e-4f), r);
  constexpr float terms[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  __m512 series = _mm512_set1_ps(1.0f / 5040);
  for (const float term : terms) series = _mm512_fmadd_ps(series, r, _mm512_set1_ps(term));
  // 2^n times a number from 0.7 to 1.5: n goes to its exponent.
  const __m512i exponents = _mm512_slli_epi32(_mm512_castps_si512(rounded), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(series), exponents));
}

}  // namespace memgen
