// Products of the step decoder in vectors of 512 bits, which WebAssembly does not have: the `multiply` of
// assembly/multiply.ts, in the layout of assembly/packed-weights.ts, with the same results.
//
// An addon for Node-API. Its sums take the inputs in order, and each multiplication and addition is rounded once.
#include <immintrin.h>
#include <node_api.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#define AVX512 __attribute__((target("avx512f")))

namespace {

/** Outputs of a panel: a vector. */
constexpr size_t kPanelOutputs = 16;

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
    const __mmask16 lanes = width >= kPanelOutputs ? 0xffff : static_cast<__mmask16>((1u << width) - 1);
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

constexpr size_t kArguments = 11;

/** What a memory with 32-bit addresses has reserved. */
constexpr size_t kAddressSpace = size_t{1} << 32;

/** `multiply(float32, x, rows, inputs, weights, bias, outputs, y, accumulate, first, end)`, with addresses in the memory. */
napi_value multiply_in_memory(napi_env env, napi_callback_info info) {
  size_t count = kArguments;
  napi_value values[kArguments];
  void* memory;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &memory) != napi_ok) return nullptr;
  uint32_t a[kArguments] = {};
  for (size_t i = 0; i < kArguments; i++) napi_get_value_uint32(env, values[i], &a[i]);
  char* base = static_cast<char*>(memory);
  const Product product = {
      reinterpret_cast<const float*>(base + a[1]), a[2], a[3],
      a[5] == 0 ? nullptr : reinterpret_cast<const float*>(base + a[5]),
      a[6], reinterpret_cast<float*>(base + a[7]), a[8] != 0,
  };
  if (a[0] != 0) multiply(product, reinterpret_cast<const float*>(base + a[4]), a[9], a[10]);
  else multiply(product, reinterpret_cast<const uint16_t*>(base + a[4]), a[9], a[10]);
  return nullptr;
}

/**
 * `over(bytes)`: the product over a memory of which `bytes` shows the beginning. Before weights are written to it, that
 * also asks for large pages, of which new tokens are read faster.
 */
napi_value over(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value bytes;
  void* memory = nullptr;
  napi_value function = nullptr;
  if (napi_get_cb_info(env, info, &count, &bytes, nullptr, nullptr) != napi_ok) return nullptr;
  if (napi_get_typedarray_info(env, bytes, nullptr, nullptr, &memory, nullptr, nullptr) != napi_ok) {
    napi_throw_type_error(env, nullptr, "over() takes a Uint8Array");
    return nullptr;
  }
  madvise(memory, kAddressSpace, MADV_HUGEPAGE);
  napi_create_function(env, "multiply", NAPI_AUTO_LENGTH, multiply_in_memory, memory, &function);
  return function;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "over", NAPI_AUTO_LENGTH, over, nullptr, &function) != napi_ok) return exports;
  return function;
}
