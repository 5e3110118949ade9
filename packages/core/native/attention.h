// Attention over pages of keys and values: `attendHeads` of assembly/attention.ts, which has their layout.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "vectors.h"

namespace memgen {

constexpr size_t kPageColumns = 64;
/** Columns of a page whose keys lie together. */
constexpr size_t kKeyColumns = 32;
/** Most queries that go through keys and values together: their sums for two vectors stay in the registers. */
constexpr int kMostQueries = 12;
/** As many have room for four. */
constexpr int kMostQueriesOfFour = 6;

/** Queries that share keys and values, and attend to the same columns but for a few at the end. */
struct Queries {
  const float* query[kMostQueries];
  float* output[kMostQueries];
  size_t columns[kMostQueries];
  int count;
};

/** What they attend to. */
struct Row {
  const char* memory;
  /** Addresses of the pages. */
  const uint32_t* pages;
  /** Bytes in a page before the keys. */
  size_t keys;
  size_t head_size;

  const float* keys_of(size_t column) const {
    return reinterpret_cast<const float*>(memory + pages[column / kPageColumns] + keys);
  }
  const float* values_of(size_t column) const {
    return keys_of(column) + head_size * (kPageColumns + column % kPageColumns);
  }
};

/** Products of queries with 32 keys, or 64; columns beyond the last give numbers without meaning. */
template <int queries, int vectors>
AVX512 void score(const Queries& all, const float* keys, size_t head_size, float* scores, size_t stride) {
  const float* query[queries];
  __m512 sums[queries][vectors];
  for (int q = 0; q < queries; q++) {
    query[q] = all.query[q];
    for (int v = 0; v < vectors; v++) sums[q][v] = _mm512_setzero_ps();
  }
  for (size_t channel = 0; channel < head_size; channel++) {
    __m512 key[vectors];
    for (int v = 0; v < vectors; v++) {
      key[v] = _mm512_loadu_ps(keys + (v / 2 * head_size + channel) * kKeyColumns + v % 2 * kLanes);
    }
    for (int q = 0; q < queries; q++) {
      const __m512 factor = _mm512_set1_ps(query[q][channel]);
      for (int v = 0; v < vectors; v++) sums[q][v] = _mm512_fmadd_ps(factor, key[v], sums[q][v]);
    }
  }
  for (int q = 0; q < queries; q++) {
    for (int v = 0; v < vectors; v++) _mm512_storeu_ps(scores + q * stride + v * kLanes, sums[q][v]);
  }
}

/** Adds the values of up to a page's columns by their weights, from query `first` on, in the channels that `lanes` names. */
template <int queries, int vectors>
AVX512 void mix(const Queries& all, int first, size_t channel, const float* values, size_t columns, size_t head_size,
                const float* weights, size_t stride, __mmask16 lanes) {
  __m512 sums[queries][vectors];
  for (int q = 0; q < queries; q++) {
    for (int v = 0; v < vectors; v++) {
      sums[q][v] = _mm512_maskz_loadu_ps(lanes, all.output[first + q] + channel + v * kLanes);
    }
  }
  for (size_t column = 0; column < columns; column++) {
    __m512 value[vectors];
    for (int v = 0; v < vectors; v++) {
      value[v] = _mm512_maskz_loadu_ps(lanes, values + column * head_size + channel + v * kLanes);
    }
    for (int q = 0; q < queries; q++) {
      const __m512 weight = _mm512_set1_ps(weights[q * stride + column]);
      for (int v = 0; v < vectors; v++) sums[q][v] = _mm512_fmadd_ps(weight, value[v], sums[q][v]);
    }
  }
  for (int q = 0; q < queries; q++) {
    for (int v = 0; v < vectors; v++) {
      _mm512_mask_storeu_ps(all.output[first + q] + channel + v * kLanes, lanes, sums[q][v]);
    }
  }
}

/** {@link mix} of the columns from `column` to before `end`, in all channels. */
template <int queries>
AVX512 void mix_columns(const Queries& all, int first, const Row& row, size_t column, size_t end, const float* weights,
                        size_t stride) {
  constexpr int vectors = queries <= kMostQueriesOfFour ? 4 : 2;
  const size_t head_size = row.head_size;
  while (column < end) {
    const size_t page_end = (column / kPageColumns + 1) * kPageColumns;
    const size_t count = (page_end < end ? page_end : end) - column;
    const float* values = row.values_of(column);
    const float* from = weights + column;
    size_t channel = 0;
    for (; channel + vectors * kLanes <= head_size; channel += vectors * kLanes) {
      mix<queries, vectors>(all, first, channel, values, count, head_size, from, stride, 0xffff);
    }
    for (; channel < head_size; channel += kLanes) {
      mix<queries, 1>(all, first, channel, values, count, head_size, from, stride, first_lanes(head_size - channel));
    }
    column += count;
  }
}

/** Turns the scores of a query into `e^(scale * (score - largest))`. @returns their sum. */
AVX512 inline float weigh(float* scores, size_t columns, float scale) {
  // What fills up the last vector is far below any score.
  const size_t whole = columns / kLanes * kLanes;
  const __m512 lowest = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
  __m512 largest = lowest;
  for (size_t i = 0; i < whole; i += kLanes) largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + i));
  const __mmask16 rest = first_lanes(columns - whole);
  if (rest != 0) largest = _mm512_max_ps(largest, _mm512_mask_loadu_ps(lowest, rest, scores + whole));
  const __m512 shift = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
  const __m512 factor = _mm512_set1_ps(scale);
  __m512 sum = _mm512_setzero_ps();
  for (size_t i = 0; i < columns; i += kLanes) {
    const __mmask16 lanes = first_lanes(columns - i);
    const __m512 score = _mm512_maskz_loadu_ps(lanes, scores + i);
    const __m512 weight = exponential(_mm512_mul_ps(_mm512_sub_ps(score, shift), factor));
    sum = _mm512_mask_add_ps(sum, lanes, sum, weight);
    _mm512_mask_storeu_ps(scores + i, lanes, weight);
  }
  return _mm512_reduce_add_ps(sum);
}

/** @param scores - room for as many floats as the row's pages have columns, for each query. */
template <int queries>
AVX512 void attend_together(const Queries& all, const Row& row, float* scores) {
  const size_t head_size = row.head_size;
  size_t least = all.columns[0];
  size_t most = all.columns[0];
  for (int q = 1; q < queries; q++) {
    if (all.columns[q] < least) least = all.columns[q];
    if (all.columns[q] > most) most = all.columns[q];
  }
  const size_t stride = (most + kPageColumns - 1) / kPageColumns * kPageColumns;
  for (size_t column = 0; column < most;) {
    const float* keys = row.keys_of(column) + column % kPageColumns * head_size;
    if (queries <= kMostQueriesOfFour && column % kPageColumns == 0 && most - column > kKeyColumns) {
      score<queries, queries <= kMostQueriesOfFour ? 4 : 2>(all, keys, head_size, scores + column, stride);
      column += kPageColumns;
    } else {
      score<queries, 2>(all, keys, head_size, scores + column, stride);
      column += kKeyColumns;
    }
  }
  const float scale = 1 / std::sqrt(static_cast<float>(head_size));
  float sums[queries];
  for (int q = 0; q < queries; q++) {
    sums[q] = weigh(scores + q * stride, all.columns[q], scale);
    std::memset(all.output[q], 0, head_size * sizeof(float));
  }
  mix_columns<queries>(all, 0, row, 0, least, scores, stride);
  for (int q = 0; q < queries; q++) {
    mix_columns<1>(all, q, row, least, all.columns[q], scores + q * stride, stride);
    const float factor = 1 / sums[q];
    for (size_t i = 0; i < head_size; i++) all.output[q][i] *= factor;
  }
}

/** {@link attend_together} for a number of queries that is known only now, `most` of them or fewer. */
template <int most>
AVX512 void attend_some(const Queries& queries, const Row& row, float* scores) {
  if constexpr (most > 0) {
    if (queries.count == most) attend_together<most>(queries, row, scores);
    else attend_some<most - 1>(queries, row, scores);
  }
}

/** What a column attends to. */
struct Task {
  uint32_t query;
  uint32_t output;
  uint32_t pages;
  uint32_t columns;
};

/** Heads of columns, those that share keys and values `group` at a time. */
struct Heads {
  char* memory;
  const Task* tasks;
  size_t layer_offset;
  size_t heads;
  size_t group;
  size_t head_size;
  float* scores;
};

/** The heads from `head` to before `end`, of one group, of columns of the same row. */
inline void attend_group(const Heads& all, size_t task, size_t tasks, size_t head, size_t end) {
  Queries queries = {};
  for (size_t t = task; t < task + tasks; t++) {
    for (size_t h = head; h < end; h++) {
      const int i = queries.count++;
      queries.query[i] = reinterpret_cast<const float*>(all.memory + all.tasks[t].query) + h * all.head_size;
      queries.output[i] = reinterpret_cast<float*>(all.memory + all.tasks[t].output) + h * all.head_size;
      queries.columns[i] = all.tasks[t].columns;
    }
  }
  const size_t group_bytes = 2 * kPageColumns * all.head_size * sizeof(float);
  const Row row = {
      all.memory,
      reinterpret_cast<const uint32_t*>(all.memory + all.tasks[task].pages),
      all.layer_offset + head / all.group * group_bytes,
      all.head_size,
  };
  attend_some<kMostQueries>(queries, row, all.scores);
}

/** The heads from `first` to before `end`, counted through all columns. */
inline void attend(const Heads& all, size_t first, size_t end) {
  const size_t together = all.group < kMostQueries ? kMostQueries / all.group : 1;
  for (size_t i = first; i < end;) {
    const size_t task = i / all.heads;
    size_t head = i % all.heads;
    const size_t head_end = head + (end - i) < all.heads ? head + (end - i) : all.heads;
    // Columns of the same row, of which all heads are wanted.
    size_t tasks = 1;
    while (head == 0 && tasks < together && i + (tasks + 1) * all.heads <= end &&
           all.tasks[task + tasks].pages == all.tasks[task].pages) {
      tasks++;
    }
    while (head < head_end) {
      const size_t group_end = (head / all.group + 1) * all.group;
      const size_t members = (group_end < head_end ? group_end : head_end) - head;
      // In blocks of about the same number of heads.
      const size_t blocks = (members * tasks + kMostQueries - 1) / kMostQueries;
      const size_t count = (members + blocks - 1) / blocks;
      attend_group(all, task, tasks, head, head + count);
      head += count;
    }
    i = tasks > 1 ? i + tasks * all.heads : task * all.heads + head_end;
  }
}

}  // namespace memgen
