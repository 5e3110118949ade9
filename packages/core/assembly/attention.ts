// Attention over keys and values that lie in pages of 64 columns.
//
// In a page, a layer has for each key-value head first the keys, [2][headSize][32], then the values, [64][headSize]: so both
// products run along vectors, without sums across lanes. What is read at a stretch is long enough (16 KiB for heads of 64)
// for the processor to fetch ahead: half as much took twice as long.
import { exponentials } from './exponential';
import { keyColumns, mixChannels, mixWide, score, scoreWide } from './attention-products';
import { largestLane, multiplyAdd, sumOfLanes } from './lanes';
import * as native from './native';

const pageColumns: i32 = 64;

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
 * Attention of columns to their rows, for the heads from `first` to before `end`, counted through all columns. Those of a
 * group, which share keys and values, go through them together, while they are in the nearest cache.
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
  if (native.present) {
    native.attend(tasks, layerOffset, heads, group, headSize, scores, first, end);
    return;
  }
  const headBytes = (<usize>headSize) << 2;
  const blockBytes = headBytes * pageColumns;
  const scale: f32 = 1 / Mathf.sqrt(<f32>headSize);
  let i = first;
  while (i < end) {
    const task = tasks + ((<usize>(i / heads)) << 4);
    const head = i % heads;
    const members = min(group - (head % group), end - i);
    const place = headBytes * head;
    const query = <usize>load<u32>(task) + place;
    const output = <usize>load<u32>(task, 4) + place;
    const pages = <usize>load<u32>(task, 8);
    const columns = load<i32>(task, 12);
    const scoreBytes = (<usize>((columns + pageColumns - 1) & ~(pageColumns - 1))) << 2;
    const keys = layerOffset + (blockBytes << 1) * (head / group);
    for (let column = 0; column < columns; column += pageColumns) {
      const block = pageOf(pages, column) + keys;
      const both = columns - column > keyColumns;
      let to = scores + ((<usize>column) << 2);
      for (let member = 0; member < members; member++) {
        scorePage(query + headBytes * member, block, headSize, to, both);
        to += scoreBytes;
      }
    }
    for (let member = 0; member < members; member++) weigh(scores + scoreBytes * member, columns, scale);
    memory.fill(output, 0, headBytes * members);
    for (let column = 0; column < columns; column += pageColumns) {
      const count = min(pageColumns, columns - column);
      const values = pageOf(pages, column) + keys + blockBytes;
      let weights = scores + ((<usize>column) << 2);
      for (let member = 0; member < members; member++) {
        mix(output + headBytes * member, values, count, headSize, weights);
        weights += scoreBytes;
      }
    }
    for (let member = 0; member < members; member++) {
      divideBySum(output + headBytes * member, headBytes, scores + scoreBytes * member, columns);
    }
    i += members;
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

/** Products of a query with the keys of a page, or of its first half. */
function scorePage(query: usize, keys: usize, headSize: i32, scores: usize, both: bool): void {
  if (WIDE_VECTORS && both) {
    scoreWide(query, keys, headSize, scores);
    return;
  }
  score(query, keys, headSize, scores);
  if (both) score(query, keys + <usize>headSize * (keyColumns << 2), headSize, scores + (keyColumns << 2));
}

/** Turns the scores of a head into weights, `e^(scale * (score - largest))`; their sum is divided by later. */
function weigh(scores: usize, columns: i32, scale: f32): void {
  const bytes = (<usize>columns) << 2;
  const pairBytes = (bytes + 31) & ~31;
  // What fills up the last two vectors is far below any score: its weight vanishes.
  for (let i = bytes; i < pairBytes; i += 4) store<f32>(scores + i, -Infinity);
  let largest = v128.load(scores);
  for (let i: usize = 16; i < pairBytes; i += 16) largest = f32x4.max(largest, v128.load(scores + i));
  exponentials(scores, scores, pairBytes, largestLane(largest), scale);
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

/** Adds the values of up to a page by their weights. The size of a head is even: 64, 32, 4 or 2 channels at a time. */
function mix(output: usize, values: usize, count: i32, headSize: i32, weights: usize): void {
  const headBytes = (<usize>headSize) << 2;
  const weightsEnd = weights + ((<usize>count) << 2);
  let channel: usize = 0;
  if (WIDE_VECTORS) {
    for (; channel + 256 <= headBytes; channel += 256) {
      mixWide(output + channel, values + channel, headBytes, weights, weightsEnd);
    }
  }
  for (; channel + 128 <= headBytes; channel += 128) {
    mixChannels(output + channel, values + channel, headBytes, weights, weightsEnd);
  }
  for (; channel < headBytes; channel += 16) {
    mixLastChannels(output + channel, values + channel, headBytes, weights, weightsEnd, channel + 16 <= headBytes);
  }
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
