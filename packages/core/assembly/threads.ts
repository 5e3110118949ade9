// Work shared by several threads over one memory: whoever is free takes the next part of it.
//
// One thread hands out jobs, the others run `work`. All they say to each other lies in a control block. Its sequence number
// is even while a job stands there and odd while the next one is being written; a thread counts itself in before it reads a
// job, so that no job is overwritten while somebody reads it. A thread that comes late, or never, holds nobody up: its parts
// are taken by the others.
import { attendHeads } from './attention';
import { gatedActivation, rmsNorm } from './elementwise';
import { multiply } from './multiply';

// Words of the control block that several threads write lie in cache lines of their own.
const active: usize = 64;
const next: usize = 128;
const done: usize = 192;
const sleepers: usize = 256;
const job: usize = 320;

// Kinds of jobs.
const bfloat16Product = 0;
const float32Product = 1;
const attention = 2;
const gate = 3;
const norm = 4;

/** Sequence number that ends {@link work}. */
const stop = -1;
/** Looks at the sequence number before a thread goes to sleep: long enough for what lies between two jobs. */
const mostLooks = 20_000;
/** Nanoseconds to sleep where a thread that was interrupted in the middle of its part is waited for. */
const pause: i64 = 50_000;

/**
 * A product as `multiplyFloat32` and `multiplyBfloat16` compute it, by all threads.
 * @param wide - whether the weights are float32.
 * @param part - outputs that a thread takes at a time, a multiple of sixteen.
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
  const at = open(control, wide ? float32Product : bfloat16Product, outputs, part);
  store<usize>(at, x, 12);
  store<i32>(at, rows, 16);
  store<i32>(at, inputs, 20);
  store<usize>(at, weights, 24);
  store<usize>(at, bias, 28);
  store<usize>(at, y, 32);
  store<i32>(at, <i32>accumulate, 36);
  run(control, outputs);
}

/**
 * Attention as `attend` computes it, by all threads.
 * @param part - heads that a thread takes at a time: all that share keys and values, which stay in its caches then, or fewer.
 * @param scores - room for each thread, one after the other.
 * @param scoresBytes - of one thread.
 */
export function attendTogether(
  control: usize,
  part: i32,
  tasks: usize,
  count: i32,
  layerOffset: usize,
  heads: i32,
  group: i32,
  headSize: i32,
  scores: usize,
  scoresBytes: usize,
): void {
  const at = open(control, attention, count * heads, part);
  store<usize>(at, tasks, 12);
  store<usize>(at, layerOffset, 16);
  store<i32>(at, heads, 20);
  store<i32>(at, group, 24);
  store<i32>(at, headSize, 28);
  store<usize>(at, scores, 32);
  store<usize>(at, scoresBytes, 36);
  run(control, count * heads);
}

/**
 * The gated activation as `gatedActivation` computes it, by all threads.
 * @param part - rows that a thread takes at a time.
 */
export function gateTogether(control: usize, part: i32, x: usize, y: usize, rows: i32, size: i32): void {
  const at = open(control, gate, rows, part);
  store<usize>(at, x, 12);
  store<usize>(at, y, 16);
  store<i32>(at, size, 20);
  run(control, rows);
}

/**
 * The norm as `rmsNorm` computes it, by all threads.
 * @param part - rows that a thread takes at a time.
 */
export function normTogether(
  control: usize,
  part: i32,
  x: usize,
  weight: usize,
  y: usize,
  rows: i32,
  size: i32,
  epsilon: f32,
): void {
  const at = open(control, norm, rows, part);
  store<usize>(at, x, 12);
  store<usize>(at, y, 16);
  store<i32>(at, size, 20);
  store<usize>(at, weight, 24);
  store<f32>(at, epsilon, 28);
  run(control, rows);
}

/**
 * Takes part in jobs until {@link dismiss}.
 * @param thread - number of this thread, from 1 on.
 */
export function work(control: usize, thread: i32): void {
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
    if (atomic.load<i32>(control) === sequence) takeParts(control, thread);
    atomic.sub<i32>(control + active, 1);
  }
}

/** Ends {@link work} in all threads. */
export function dismiss(control: usize): void {
  atomic.store<i32>(control, stop);
  atomic.notify(control, -1);
}

/** Begins to write a job when nobody reads the one before any more; returns where its own words go. */
function open(control: usize, kind: i32, total: i32, part: i32): usize {
  atomic.store<i32>(control, atomic.load<i32>(control) + 1);
  let others = atomic.load<i32>(control + active);
  while (others !== 0) others = atomic.load<i32>(control + active);
  store<i32>(control + job, kind);
  store<i32>(control + job, total, 4);
  store<i32>(control + job, part, 8);
  return control + job;
}

/** Hands the job out, takes part, and waits for the parts of the others. */
function run(control: usize, total: i32): void {
  atomic.store<i32>(control + next, 0);
  atomic.store<i32>(control + done, 0);
  atomic.store<i32>(control, (atomic.load<i32>(control) + 1) & 0x3fffffff);
  if (atomic.load<i32>(control + sleepers) > 0) atomic.notify(control, -1);
  takeParts(control, 0);
  let looks = 0;
  let finished = atomic.load<i32>(control + done);
  while (finished < total) {
    if (++looks > mostLooks) atomic.wait<i32>(control + done, finished, pause);
    finished = atomic.load<i32>(control + done);
  }
}

function takeParts(control: usize, thread: i32): void {
  const at = control + job;
  const total = load<i32>(at, 4);
  const part = load<i32>(at, 8);
  while (true) {
    const first = atomic.add<i32>(control + next, part);
    if (first >= total) return;
    const end = min(first + part, total);
    const kind = load<i32>(at);
    if (kind === attention) attendPart(at, thread, first, end);
    else if (kind === gate) gatePart(at, first, end);
    else if (kind === norm) normPart(at, first, end);
    else multiplyPart(at, total, first, end);
    atomic.add<i32>(control + done, end - first);
  }
}

function multiplyPart(at: usize, outputs: i32, first: i32, end: i32): void {
  const x = load<usize>(at, 12);
  const rows = load<i32>(at, 16);
  const inputs = load<i32>(at, 20);
  const weights = load<usize>(at, 24);
  const bias = load<usize>(at, 28);
  const y = load<usize>(at, 32);
  const accumulate = load<i32>(at, 36) !== 0;
  if (load<i32>(at) === float32Product) {
    multiply<f32>(x, rows, inputs, weights, bias, outputs, y, accumulate, first, end);
  } else {
    multiply<u16>(x, rows, inputs, weights, bias, outputs, y, accumulate, first, end);
  }
}

function attendPart(at: usize, thread: i32, first: i32, end: i32): void {
  const scores = load<usize>(at, 32) + load<usize>(at, 36) * <usize>thread;
  attendHeads(
    load<usize>(at, 12),
    load<usize>(at, 16),
    load<i32>(at, 20),
    load<i32>(at, 24),
    load<i32>(at, 28),
    scores,
    first,
    end,
  );
}

function gatePart(at: usize, first: i32, end: i32): void {
  const size = load<i32>(at, 20);
  const bytes = (<usize>size) << 2;
  gatedActivation(load<usize>(at, 12) + bytes * 2 * first, load<usize>(at, 16) + bytes * first, end - first, size);
}

function normPart(at: usize, first: i32, end: i32): void {
  const size = load<i32>(at, 20);
  const offset = ((<usize>size) << 2) * first;
  const x = load<usize>(at, 12) + offset;
  rmsNorm(x, load<usize>(at, 24), load<usize>(at, 16) + offset, end - first, size, load<f32>(at, 28));
}
