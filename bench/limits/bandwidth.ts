// How fast this machine moves memory: the limit of decoding, which reads all weights for each token.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Reporter } from '../frame/reporter.js';
import type { JobSettings } from '../frame/suite.js';

/** Of all threads together; far larger than any processor's caches. */
const size = 2 ** 29;

const ways = ['copy', 'scan', 'compare'] as const;

/**
 * A thread: makes its memory (filled, for untouched pages are all one page of zeros, which the caches hold), says so, and
 * then, for each way it is told, goes through the memory once and answers with the milliseconds.
 */
const program = `
const { parentPort, workerData: size } = require('node:worker_threads');
const memory = Buffer.alloc(size, 1);
const [first, second] = [memory.subarray(0, size / 2), memory.subarray(size / 2)];
const ways = { copy: () => first.copy(second), scan: () => memory.indexOf(2), compare: () => first.compare(second) };
parentPort.on('message', (way) => {
  const began = performance.now();
  ways[way]();
  parentPort.postMessage(performance.now() - began);
});
parentPort.postMessage(0);
`;

/**
 * Three ways, each by one thread a processor at the same time; a plain loop in JavaScript would be bound by its arithmetic
 * instead. Node hands all three to the C library, whose vector code does next to nothing with the bytes:
 * - copy: one half to the other, `memcpy`; read and written bytes count;
 * - scan: looks for a byte that is not there, `memchr`; one stream is read;
 * - compare: two equal halves, `memcmp`; two streams are read.
 */
export async function run({ quick }: JobSettings, reporter: Reporter): Promise<void> {
  const threads = availableParallelism();
  const workers = Array.from({ length: threads }, () => {
    return new Worker(program, { eval: true, workerData: 4096 * Math.floor(size / threads / 4096), execArgv: [] });
  });
  const answers = () =>
    Promise.all(workers.map((worker) => new Promise<number>((resolve) => worker.once('message', resolve))));
  await answers();
  for (const way of ways) {
    const samples: number[] = [];
    for (let i = 0; i < (quick ? 3 : 7); i++) {
      const times = answers();
      for (const worker of workers) worker.postMessage(way);
      samples.push(size / Math.max(...(await times)) / 1e6);
    }
    reporter.figure({ measure: `bandwidth-${way}`, unit: 'GB/s', backend: 'machine', samples });
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
}
