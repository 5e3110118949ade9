// Products shared by several threads over one memory: whoever is free takes the next part of the outputs.
//
// One thread hands out the products, the others run `work`. All they say to each other lies in a control block. Its
// sequence number is even while a product stands there and odd while the next one is being written; a thread counts itself
// in before it reads a product, so that no product is overwritten while somebody reads it. A thread that comes late, or
// never, holds nobody up: its parts are taken by the others.
import { multiply } from './multiply';

// Words of the control block that several threads write lie in cache lines of their own.
const active: usize = 64;
const next: usize = 128;
const done: usize = 192;
const sleepers: usize = 256;
const product: usize = 320;

/** Sequence number that ends {@link work}. */
const stop = -1;
/** Looks at the sequence number before a thread goes to sleep: long enough for what lies between two products. */
const mostLooks = 20_000;
/** Nanoseconds to sleep where a thread that was interrupted in the middle of its part is waited for. */
const pause: i64 = 50_000;

/**
 * A product as `multiplyFloat32` and `multiplyBfloat16` compute it, by all threads.
 * @param wide - whether the weights are float32.
 * @param part - outputs that a thread takes at a time, a multiple of eight.
 */
export function multiplyTogether(
  control: usize,
  wide: bool,
  part: i32,
  x: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  outputs: i32,
  y: usize,
  accumulate: bool,
): void {
  const sequence = atomic.load<i32>(control);
  atomic.store<i32>(control, sequence + 1);
  let others = atomic.load<i32>(control + active);
  while (others !== 0) others = atomic.load<i32>(control + active);
  const at = control + product;
  store<i32>(at, <i32>wide);
  store<i32>(at, part, 4);
  store<usize>(at, x, 8);
  store<i32>(at, rows, 12);
  store<i32>(at, inputs, 16);
  store<usize>(at, weights, 20);
  store<usize>(at, bias, 24);
  store<i32>(at, outputs, 28);
  store<usize>(at, y, 32);
  store<i32>(at, <i32>accumulate, 36);
  atomic.store<i32>(control + next, 0);
  atomic.store<i32>(control + done, 0);
  atomic.store<i32>(control, (sequence + 2) & 0x3fffffff);
  if (atomic.load<i32>(control + sleepers) > 0) atomic.notify(control, -1);
  takeParts(control);
  let looks = 0;
  let finished = atomic.load<i32>(control + done);
  while (finished < outputs) {
    if (++looks > mostLooks) atomic.wait<i32>(control + done, finished, pause);
    finished = atomic.load<i32>(control + done);
  }
}

/** Takes part in products until {@link dismiss}. */
export function work(control: usize): void {
  let seen = 0;
  while (true) {
    let sequence = atomic.load<i32>(control);
    let looks = 0;
    while (sequence === seen || (sequence & 1) !== 0) {
      if (sequence === stop) return;
      if (++looks > mostLooks && sequence === seen) {
        atomic.add<i32>(control + sleepers, 1);
        atomic.wait<i32>(control, sequence, -1);
        atomic.sub<i32>(control + sleepers, 1);
        looks = 0;
      }
      sequence = atomic.load<i32>(control);
    }
    seen = sequence;
    atomic.add<i32>(control + active, 1);
    if (atomic.load<i32>(control) === sequence) takeParts(control);
    atomic.sub<i32>(control + active, 1);
  }
}

/** Ends {@link work} in all threads. */
export function dismiss(control: usize): void {
  atomic.store<i32>(control, stop);
  atomic.notify(control, -1);
}

function takeParts(control: usize): void {
  const at = control + product;
  const wide = load<i32>(at) !== 0;
  const part = load<i32>(at, 4);
  const x = load<usize>(at, 8);
  const rows = load<i32>(at, 12);
  const inputs = load<i32>(at, 16);
  const weights = load<usize>(at, 20);
  const bias = load<usize>(at, 24);
  const outputs = load<i32>(at, 28);
  const y = load<usize>(at, 32);
  const accumulate = load<i32>(at, 36) !== 0;
  while (true) {
    const first = atomic.add<i32>(control + next, part);
    if (first >= outputs) return;
    const end = min(first + part, outputs);
    if (wide) multiply<f32>(x, rows, inputs, weights, bias, outputs, y, accumulate, first, end);
    else multiply<u16>(x, rows, inputs, weights, bias, outputs, y, accumulate, first, end);
    atomic.add<i32>(control + done, end - first);
  }
}
