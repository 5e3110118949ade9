// Products with packed weight matrices: `multiply` of assembly/multiply.ts, to the bit, in the layout of
// assembly/packed-weights.ts.
#pragma once

#include "vectors.h"

namespace memgen {

/** Outputs of a panel: a vector. */
constexpr size_t kPanelOutputs = kLanes;

/** Most rows whose sums, for two panels, stay in the 32 registers; and for four panels, which memory gives more to. */
constexpr int kMostRows = 14;
constexpr int kMostRowsOfFour = 6;

/** What does not change within a product. */
struct Product {
  const float* x;
  size_t rows;
  size_t inputs;
  /** May be null. */
  const float* bias;
  size_t outputs;
  float* y;
  bool accumulate;
};

/** The weights of an input in a panel. */
AVX512 inline __m512 load_weights(const float* weights) { return _mm512_loadu_ps(weights); }

/** bfloat16: word i holds output i in its lower half and output i + 8 in its upper half. */
AVX512 inline __m512 load_weights(const uint16_t* weights) {
  const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
  const __m512i shifts = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 16, 16, 16, 16, 16, 16, 16, 16);
  const __m512i shifted = _mm512_sllv_epi32(_mm512_broadcast_i64x4(words), shifts);
  return _mm512_castsi512_ps(_mm512_and_epi32(shifted, _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
}

/** Some rows times neighbouring panels, the last of which may have fewer outputs than a vector has lanes. */
template <int rows, int panels, typename Weight>
AVX512 void multiply_block(const Product& product, const Weight* weights, size_t row, size_t output, size_t end) {
  const size_t inputs = product.inputs;
  const float* x = product.x + row * inputs;
  __m512 sums[rows][panels];
  for (int r = 0; r < rows; r++) {
    for (int p = 0; p < panels; p++) sums[r][p] = _mm512_setzero_ps();
  }
  for (size_t input = 0; input < inputs; input++) {
    __m512 weight[panels];
    for (int p = 0; p < panels; p++) weight[p] = load_weights(weights + (p * inputs + input) * kPanelOutputs);
    for (int r = 0; r < rows; r++) {
      const __m512 factor = _mm512_set1_ps(x[r * inputs + input]);
      for (int p = 0; p < panels; p++) sums[r][p] = _mm512_fmadd_ps(factor, weight[p], sums[r][p]);
    }
  }
  float* y = product.y + row * product.outputs + output;
  for (int p = 0; p < panels; p++) {
    const size_t place = p * kPanelOutputs;
    const size_t width = end - output - place;
    const __mmask16 lanes = first_lanes(width);
    const bool has_bias = product.bias != nullptr;
    const __m512 bias = has_bias ? _mm512_maskz_loadu_ps(lanes, product.bias + output + place) : _mm512_setzero_ps();
    for (int r = 0; r < rows; r++) {
      float* to = y + r * product.outputs + place;
      __m512 sum = sums[r][p];
      if (product.accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes, to));
      if (has_bias) sum = _mm512_add_ps(sum, bias);
      _mm512_mask_storeu_ps(to, lanes, sum);
    }
  }
}

/** {@link multiply_block} for a number of rows that is known only now, `most` of them or fewer. */
template <int most, int panels, typename Weight>
AVX512 void multiply_rows(const Product& product, const Weight* weights, size_t row, size_t rows, size_t output,
                          size_t end) {
  if constexpr (most > 0) {
    if (rows == most) multiply_block<most, panels>(product, weights, row, output, end);
    else multiply_rows<most - 1, panels>(product, weights, row, rows, output, end);
  }
}

/** All rows times some panels: in blocks of about the same number of rows. */
template <int most, int panels, typename Weight>
AVX512 void multiply_panels(const Product& product, const Weight* weights, size_t output, size_t end) {
  const size_t blocks = (product.rows + most - 1) / most;
  size_t row = 0;
  for (size_t block = 0; block < blocks; block++) {
    const size_t next = product.rows * (block + 1) / blocks;
    multiply_rows<most, panels>(product, weights, row, next - row, output, end);
    row = next;
  }
}

/** The outputs from `output`, with which a panel begins, to before `end`. */
template <typename Weight>
AVX512 void multiply(const Product& product, const Weight* weights, size_t output, size_t end) {
  weights += output * product.inputs;
  if (product.rows <= kMostRowsOfFour) {
    for (; output + 4 * kPanelOutputs <= end; output += 4 * kPanelOutputs) {
      multiply_panels<kMostRowsOfFour, 4>(product, weights, output, end);
      weights += 4 * kPanelOutputs * product.inputs;
    }
  }
  for (; output + kPanelOutputs < end; output += 2 * kPanelOutputs) {
    multiply_panels<kMostRows, 2>(product, weights, output, end);
    weights += 2 * kPanelOutputs * product.inputs;
  }
  if (output < end) multiply_panels<kMostRows, 1>(product, weights, output, end);
}

}  // namespace memgen
