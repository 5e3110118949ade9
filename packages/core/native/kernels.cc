// Kernels of the step decoder in vectors of 512 bits, which WebAssembly does not have, as an addon for Node-API. They work in
// the memory of the modules that assembly/ makes, for their threads, on the same data.
#include <node_api.h>
#include <sys/mman.h>

#include "attention.h"
#include "elementwise.h"
#include "products.h"

namespace memgen {
namespace {

/** Arguments of a function, all of them numbers of 32 bits, and the memory that it belongs to. */
template <size_t count>
struct Arguments {
  char* memory = nullptr;
  uint32_t values[count] = {};

  Arguments(napi_env env, napi_callback_info info) {
    size_t given = count;
    napi_value handles[count];
    void* data = nullptr;
    napi_get_cb_info(env, info, &given, handles, nullptr, &data);
    memory = static_cast<char*>(data);
    for (size_t i = 0; i < count; i++) napi_get_value_uint32(env, handles[i], &values[i]);
  }

  uint32_t operator[](size_t i) const { return values[i]; }

  /** What lies at the address that an argument gives. */
  template <typename T>
  T* at(size_t i) const {
    return reinterpret_cast<T*>(memory + values[i]);
  }
};

/** `multiply(float32, x, rows, inputs, weights, bias, outputs, y, accumulate, first, end)`. */
napi_value call_multiply(napi_env env, napi_callback_info info) {
  const Arguments<11> a(env, info);
  const float* bias = a[5] == 0 ? nullptr : a.at<const float>(5);
  const Product product = {a.at<const float>(1), a[2], a[3], bias, a[6], a.at<float>(7), a[8] != 0};
  if (a[0] != 0) multiply(product, a.at<const float>(4), a[9], a[10]);
  else multiply(product, a.at<const uint16_t>(4), a[9], a[10]);
  return nullptr;
}

/** `attend(tasks, layerOffset, heads, group, headSize, scores, first, end)`. */
napi_value call_attend(napi_env env, napi_callback_info info) {
  const Arguments<8> a(env, info);
  attend({a.memory, a.at<const Task>(0), a[1], a[2], a[3], a[4], a.at<float>(5)}, a[6], a[7]);
  return nullptr;
}

/** `activate(x, y, rows, size)`. */
napi_value call_activate(napi_env env, napi_callback_info info) {
  const Arguments<4> a(env, info);
  activate_gates(a.at<const float>(0), a.at<float>(1), a[2], a[3]);
  return nullptr;
}

/** What a memory with 32-bit addresses has reserved. */
constexpr size_t kAddressSpace = size_t{1} << 32;

/**
 * `over(bytes)`: the functions for a memory of which `bytes` shows the beginning; their arguments are addresses in it. Before
 * weights are written to it, this also asks for large pages, of which new tokens are read faster.
 */
napi_value over(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value bytes;
  void* memory = nullptr;
  if (napi_get_cb_info(env, info, &count, &bytes, nullptr, nullptr) != napi_ok) return nullptr;
  if (napi_get_typedarray_info(env, bytes, nullptr, nullptr, &memory, nullptr, nullptr) != napi_ok) {
    napi_throw_type_error(env, nullptr, "over() takes a Uint8Array");
    return nullptr;
  }
  madvise(memory, kAddressSpace, MADV_HUGEPAGE);
  const napi_property_descriptor functions[] = {
      {"multiply", nullptr, call_multiply, nullptr, nullptr, nullptr, napi_enumerable, memory},
      {"attend", nullptr, call_attend, nullptr, nullptr, nullptr, napi_enumerable, memory},
      {"activate", nullptr, call_activate, nullptr, nullptr, nullptr, napi_enumerable, memory},
  };
  napi_value result;
  if (napi_create_object(env, &result) != napi_ok) return nullptr;
  napi_define_properties(env, result, sizeof(functions) / sizeof(functions[0]), functions);
  return result;
}

}  // namespace
}  // namespace memgen

NAPI_MODULE_INIT() {
  napi_value function;
  const napi_status created = napi_create_function(env, "over", NAPI_AUTO_LENGTH, memgen::over, nullptr, &function);
  return created == napi_ok ? function : exports;
}
