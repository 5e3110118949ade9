// Attention over keys and values that lie in pages of 64 columns.
//
// In a page, a layer has for each key-value head first the keys, [2][headSize][32], then the values, [64][headSize]: so both
// products run along vectors, without sums across lanes. What is read at a stretch is long enough (16 KiB for heads of 64)
// for the processor to fetch ahead: half as much took twice as long.
import { exponential } from './exponential';
import { largestLane, multiplyAdd, sumOfLanes } from './lanes';

const pageColumns: i32 = 64;
/** Columns whose keys lie together. */
const keyColumns: i32 = 32;

/** Writes key and value of one column `[keyValueHeads * headSize]` to their place in a page's layer. */
export function storeColumn(
  key: usize,
  value: usize,
  page: usize,
  column: i32,
  keyValueHeads: i32,
  headSize: i32,
): void {
  const headBytes = (<usize>headSize) << 2;
  const blockBytes = headBytes * pageColumns;
  for (let head = 0; head < keyValueHeads; head++) {
    let place = page + headBytes * (column & ~(keyColumns - 1)) + ((<usize>(column & (keyColumns - 1))) << 2);
    for (let i: usize = 0; i < headBytes; i += 4) {
      store<f32>(place, load<f32>(key + i));
      place += keyColumns << 2;
    }
    memory.copy(page + blockBytes + headBytes * column, value, headBytes);
    key += headBytes;
    value += headBytes;
    page += blockBytes << 1;
  }
}

/**
 * Attention of columns to their rows, for the heads from `first` to before `end`, counted through all columns; both are
 * multiples of `group`, for heads that share keys and values go through them together, while they are in the nearest cache.
 * @param tasks - four words per column: addresses of its query and its output, both `[heads * headSize]`, and of the list
 * of its row's pages; and how many columns of the row it attends to.
 * @param layerOffset - where the layer begins in a page.
 * @param group - query heads per key-value head.
 * @param scores - room for `group` floats per column of all pages.
 */
export function attendHeads(
  tasks: usize,
  layerOffset: usize,
  heads: i32,
  group: i32,
  headSize: i32,
  scores: usize,
  first: i32,
  end: i32,
): void {
  const headBytes = (<usize>headSize) << 2;
  const blockBytes = headBytes * pageColumns;
  const scale: f32 = 1 / Mathf.sqrt(<f32>headSize);
  for (let i = first; i < end; i += group) {
    const task = tasks + ((<usize>(i / heads)) << 4);
    const head = i % heads;
    const place = headBytes * head;
    const query = <usize>load<u32>(task) + place;
    const output = <usize>load<u32>(task, 4) + place;
    const pages = <usize>load<u32>(task, 8);
    const columns = load<i32>(task, 12);
    const scoreBytes = (<usize>((columns + pageColumns - 1) & ~(pageColumns - 1))) << 2;
    const keys = layerOffset + (blockBytes << 1) * (head / group);
    for (let column = 0; column < columns; column += keyColumns) {
      const half = column & keyColumns ? blockBytes >> 1 : 0;
      const block = pageOf(pages, column) + keys + half;
      let to = scores + ((<usize>column) << 2);
      let member = 0;
      if (WIDE_VECTORS) {
        for (; member + 2 <= group; member += 2) {
          scoreTwo(query + headBytes * member, headBytes, block, headSize, to, scoreBytes);
          to += scoreBytes << 1;
        }
      }
      for (; member < group; member++) {
        score(query + headBytes * member, block, headSize, to);
        to += scoreBytes;
      }
    }
    for (let member = 0; member < group; member++) weigh(scores + scoreBytes * member, columns, scale);
    memory.fill(output, 0, headBytes * group);
    for (let column = 0; column < columns; column += pageColumns) {
      const count = min(pageColumns, columns - column);
      const values = pageOf(pages, column) + keys + blockBytes;
      let weights = scores + ((<usize>column) << 2);
      let member = 0;
      if (WIDE_VECTORS && (headSize & 31) === 0) {
        for (; member + 2 <= group; member += 2) {
          for (let channel: usize = 0; channel < headBytes; channel += 128) {
            const to = output + headBytes * member + channel;
            mixChannelsOfTwo(to, values + channel, headBytes, weights, scoreBytes, count);
          }
          weights += scoreBytes << 1;
        }
      }
      for (; member < group; member++) {
        mix(output + headBytes * member, values, count, headSize, weights);
        weights += scoreBytes;
      }
    }
    for (let member = 0; member < group; member++) {
      divideBySum(output + headBytes * member, headBytes, scores + scoreBytes * member, columns);
    }
  }
}

/** {@link attendHeads} of all heads of `count` columns. */
export function attend(
  tasks: usize,
  count: i32,
  layerOffset: usize,
  heads: i32,
  group: i32,
  headSize: i32,
  scores: usize,
): void {
  attendHeads(tasks, layerOffset, heads, group, headSize, scores, 0, count * heads);
}

/** Products of a query with {@link keyColumns} keys; columns beyond the last give numbers without meaning. */
export function score(query: usize, keys: usize, headSize: i32, scores: usize): void {
  const queryEnd = query + ((<usize>headSize) << 2);
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  let sum2 = f32x4.splat(0);
  let sum3 = f32x4.splat(0);
  let sum4 = f32x4.splat(0);
  let sum5 = f32x4.splat(0);
  let sum6 = f32x4.splat(0);
  let sum7 = f32x4.splat(0);
  for (let channel = query; channel < queryEnd; channel += 4) {
    const q = v128.load32_splat(channel);
    sum0 = multiplyAdd(sum0, q, v128.load(keys));
    sum1 = multiplyAdd(sum1, q, v128.load(keys, 16));
    sum2 = multiplyAdd(sum2, q, v128.load(keys, 32));
    sum3 = multiplyAdd(sum3, q, v128.load(keys, 48));
    sum4 = multiplyAdd(sum4, q, v128.load(keys, 64));
    sum5 = multiplyAdd(sum5, q, v128.load(keys, 80));
    sum6 = multiplyAdd(sum6, q, v128.load(keys, 96));
    sum7 = multiplyAdd(sum7, q, v128.load(keys, 112));
    keys += keyColumns << 2;
  }
  v128.store(scores, sum0);
  v128.store(scores, sum1, 16);
  v128.store(scores, sum2, 32);
  v128.store(scores, sum3, 48);
  v128.store(scores, sum4, 64);
  v128.store(scores, sum5, 80);
  v128.store(scores, sum6, 96);
  v128.store(scores, sum7, 112);
}

/** {@link score} for two heads, `queryBytes` and `scoreBytes` apart: vectors stand side by side for the engine to join them. */
export function scoreTwo(
  query: usize,
  queryBytes: usize,
  keys: usize,
  headSize: i32,
  scores: usize,
  scoreBytes: usize,
): void {
  const queryEnd = query + ((<usize>headSize) << 2);
  let sum00 = f32x4.splat(0);
  let sum01 = f32x4.splat(0);
  let sum02 = f32x4.splat(0);
  let sum03 = f32x4.splat(0);
  let sum04 = f32x4.splat(0);
  let sum05 = f32x4.splat(0);
  let sum06 = f32x4.splat(0);
  let sum07 = f32x4.splat(0);
  let sum10 = f32x4.splat(0);
  let sum11 = f32x4.splat(0);
  let sum12 = f32x4.splat(0);
  let sum13 = f32x4.splat(0);
  let sum14 = f32x4.splat(0);
  let sum15 = f32x4.splat(0);
  let sum16 = f32x4.splat(0);
  let sum17 = f32x4.splat(0);
  let second = query + queryBytes;
  while (query < queryEnd) {
    const q0 = v128.load32_splat(query);
    const q1 = v128.load32_splat(second);
    const key0 = v128.load(keys);
    const key1 = v128.load(keys, 16);
    const key2 = v128.load(keys, 32);
    const key3 = v128.load(keys, 48);
    const key4 = v128.load(keys, 64);
    const key5 = v128.load(keys, 80);
    const key6 = v128.load(keys, 96);
    const key7 = v128.load(keys, 112);
    sum00 = multiplyAdd(sum00, q0, key0);
    sum01 = multiplyAdd(sum01, q0, key1);
    sum02 = multiplyAdd(sum02, q0, key2);
    sum03 = multiplyAdd(sum03, q0, key3);
    sum04 = multiplyAdd(sum04, q0, key4);
    sum05 = multiplyAdd(sum05, q0, key5);
    sum06 = multiplyAdd(sum06, q0, key6);
    sum07 = multiplyAdd(sum07, q0, key7);
    sum10 = multiplyAdd(sum10, q1, key0);
    sum11 = multiplyAdd(sum11, q1, key1);
    sum12 = multiplyAdd(sum12, q1, key2);
    sum13 = multiplyAdd(sum13, q1, key3);
    sum14 = multiplyAdd(sum14, q1, key4);
    sum15 = multiplyAdd(sum15, q1, key5);
    sum16 = multiplyAdd(sum16, q1, key6);
    sum17 = multiplyAdd(sum17, q1, key7);
    keys += keyColumns << 2;
    query += 4;
    second += 4;
  }
  v128.store(scores, sum00);
  v128.store(scores, sum01, 16);
  v128.store(scores, sum02, 32);
  v128.store(scores, sum03, 48);
  v128.store(scores, sum04, 64);
  v128.store(scores, sum05, 80);
  v128.store(scores, sum06, 96);
  v128.store(scores, sum07, 112);
  v128.store(scores + scoreBytes, sum10);
  v128.store(scores + scoreBytes, sum11, 16);
  v128.store(scores + scoreBytes, sum12, 32);
  v128.store(scores + scoreBytes, sum13, 48);
  v128.store(scores + scoreBytes, sum14, 64);
  v128.store(scores + scoreBytes, sum15, 80);
  v128.store(scores + scoreBytes, sum16, 96);
  v128.store(scores + scoreBytes, sum17, 112);
}

/** Turns the scores of a head into weights, `e^(scale * (score - largest))`; their sum is divided by later. */
export function weigh(scores: usize, columns: i32, scale: f32): void {
  const end = scores + ((<usize>columns) << 2);
  // What fills up the last two vectors is far below any score: its weight vanishes.
  for (let rest = end; (rest - scores) & 31; rest += 4) store<f32>(rest, -Infinity);
  let largest = v128.load(scores);
  for (let i = scores + 16; i < end; i += 16) largest = f32x4.max(largest, v128.load(i));
  const maximum = f32x4.splat(largestLane(largest));
  const scales = f32x4.splat(scale);
  while (scores < end) {
    const low = exponential(f32x4.mul(f32x4.sub(v128.load(scores), maximum), scales));
    const high = exponential(f32x4.mul(f32x4.sub(v128.load(scores, 16), maximum), scales));
    v128.store(scores, low);
    v128.store(scores, high, 16);
    scores += 32;
  }
}

/** Divides the output of a head by the sum of its weights. */
function divideBySum(output: usize, headBytes: usize, weights: usize, columns: i32): void {
  const end = weights + ((<usize>columns) << 2);
  let sum = f32x4.splat(0);
  for (let i = weights; i < end; i += 16) sum = f32x4.add(sum, v128.load(i));
  const factor: f32 = 1 / sumOfLanes(sum);
  const factors = f32x4.splat(factor);
  let i: usize = 0;
  for (; i + 16 <= headBytes; i += 16) v128.store(output + i, f32x4.mul(v128.load(output + i), factors));
  for (; i < headBytes; i += 4) store<f32>(output + i, load<f32>(output + i) * factor);
}

/** Adds the values of up to a page by their weights. The size of a head is even: 32, 4 or 2 channels at a time. */
function mix(output: usize, values: usize, count: i32, headSize: i32, weights: usize): void {
  const headBytes = (<usize>headSize) << 2;
  const weightsEnd = weights + ((<usize>count) << 2);
  let channel: usize = 0;
  for (; channel + 128 <= headBytes; channel += 128) {
    mixChannels(output + channel, values + channel, headBytes, weights, weightsEnd);
  }
  for (; channel < headBytes; channel += 16) {
    mixLastChannels(output + channel, values + channel, headBytes, weights, weightsEnd, channel + 16 <= headBytes);
  }
}

/** {@link mix} of 32 channels. */
export function mixChannels(output: usize, value: usize, headBytes: usize, weights: usize, weightsEnd: usize): void {
  let sum0 = v128.load(output);
  let sum1 = v128.load(output, 16);
  let sum2 = v128.load(output, 32);
  let sum3 = v128.load(output, 48);
  let sum4 = v128.load(output, 64);
  let sum5 = v128.load(output, 80);
  let sum6 = v128.load(output, 96);
  let sum7 = v128.load(output, 112);
  for (; weights < weightsEnd; weights += 4) {
    const weight = v128.load32_splat(weights);
    sum0 = multiplyAdd(sum0, weight, v128.load(value));
    sum1 = multiplyAdd(sum1, weight, v128.load(value, 16));
    sum2 = multiplyAdd(sum2, weight, v128.load(value, 32));
    sum3 = multiplyAdd(sum3, weight, v128.load(value, 48));
    sum4 = multiplyAdd(sum4, weight, v128.load(value, 64));
    sum5 = multiplyAdd(sum5, weight, v128.load(value, 80));
    sum6 = multiplyAdd(sum6, weight, v128.load(value, 96));
    sum7 = multiplyAdd(sum7, weight, v128.load(value, 112));
    value += headBytes;
  }
  v128.store(output, sum0);
  v128.store(output, sum1, 16);
  v128.store(output, sum2, 32);
  v128.store(output, sum3, 48);
  v128.store(output, sum4, 64);
  v128.store(output, sum5, 80);
  v128.store(output, sum6, 96);
  v128.store(output, sum7, 112);
}

/** {@link mixChannels} for two heads, `headBytes` apart, with weights `scoreBytes` apart. */
export function mixChannelsOfTwo(
  output: usize,
  value: usize,
  headBytes: usize,
  weights: usize,
  scoreBytes: usize,
  count: i32,
): void {
  const weightsEnd = weights + ((<usize>count) << 2);
  let weights1 = weights + scoreBytes;
  let sum00 = v128.load(output);
  let sum01 = v128.load(output, 16);
  let sum02 = v128.load(output, 32);
  let sum03 = v128.load(output, 48);
  let sum04 = v128.load(output, 64);
  let sum05 = v128.load(output, 80);
  let sum06 = v128.load(output, 96);
  let sum07 = v128.load(output, 112);
  let sum10 = v128.load(output + headBytes);
  let sum11 = v128.load(output + headBytes, 16);
  let sum12 = v128.load(output + headBytes, 32);
  let sum13 = v128.load(output + headBytes, 48);
  let sum14 = v128.load(output + headBytes, 64);
  let sum15 = v128.load(output + headBytes, 80);
  let sum16 = v128.load(output + headBytes, 96);
  let sum17 = v128.load(output + headBytes, 112);
  while (weights < weightsEnd) {
    const w0 = v128.load32_splat(weights);
    const w1 = v128.load32_splat(weights1);
    const value0 = v128.load(value);
    const value1 = v128.load(value, 16);
    const value2 = v128.load(value, 32);
    const value3 = v128.load(value, 48);
    const value4 = v128.load(value, 64);
    const value5 = v128.load(value, 80);
    const value6 = v128.load(value, 96);
    const value7 = v128.load(value, 112);
    sum00 = multiplyAdd(sum00, w0, value0);
    sum01 = multiplyAdd(sum01, w0, value1);
    sum02 = multiplyAdd(sum02, w0, value2);
    sum03 = multiplyAdd(sum03, w0, value3);
    sum04 = multiplyAdd(sum04, w0, value4);
    sum05 = multiplyAdd(sum05, w0, value5);
    sum06 = multiplyAdd(sum06, w0, value6);
    sum07 = multiplyAdd(sum07, w0, value7);
    sum10 = multiplyAdd(sum10, w1, value0);
    sum11 = multiplyAdd(sum11, w1, value1);
    sum12 = multiplyAdd(sum12, w1, value2);
    sum13 = multiplyAdd(sum13, w1, value3);
    sum14 = multiplyAdd(sum14, w1, value4);
    sum15 = multiplyAdd(sum15, w1, value5);
    sum16 = multiplyAdd(sum16, w1, value6);
    sum17 = multiplyAdd(sum17, w1, value7);
    value += headBytes;
    weights += 4;
    weights1 += 4;
  }
  v128.store(output, sum00);
  v128.store(output, sum01, 16);
  v128.store(output, sum02, 32);
  v128.store(output, sum03, 48);
  v128.store(output, sum04, 64);
  v128.store(output, sum05, 80);
  v128.store(output, sum06, 96);
  v128.store(output, sum07, 112);
  v128.store(output + headBytes, sum10);
  v128.store(output + headBytes, sum11, 16);
  v128.store(output + headBytes, sum12, 32);
  v128.store(output + headBytes, sum13, 48);
  v128.store(output + headBytes, sum14, 64);
  v128.store(output + headBytes, sum15, 80);
  v128.store(output + headBytes, sum16, 96);
  v128.store(output + headBytes, sum17, 112);
}

/** {@link mix} of four channels or, at the end of a head, two. */
function mixLastChannels(
  output: usize,
  value: usize,
  headBytes: usize,
  weights: usize,
  weightsEnd: usize,
  whole: bool,
): void {
  let sum = whole ? v128.load(output) : v128.load64_zero(output);
  for (; weights < weightsEnd; weights += 4) {
    sum = multiplyAdd(sum, v128.load32_splat(weights), whole ? v128.load(value) : v128.load64_zero(value));
    value += headBytes;
  }
  if (whole) v128.store(output, sum);
  else v128.store64_lane(output, sum, 0);
}

/** Address of the page that holds a column. */
function pageOf(pages: usize, column: i32): usize {
  return <usize>load<u32>(pages + ((<usize>(column / pageColumns)) << 2));
}
