// How fast this machine moves memory: the limit of decoding, which reads all weights for each token.
import type { Reporter } from '../frame/reporter.js';
import { seconds } from '../frame/measure.js';
import type { JobSettings } from '../frame/suite.js';

/** Far larger than any processor's caches. */
const size = 2 ** 29;

/**
 * One thread, three ways; a plain loop in JavaScript would be bound by its arithmetic instead. Node hands all three to the
 * C library, whose vector code does next to nothing with the bytes:
 * - copy: one half to the other, `memcpy`; read and written bytes count;
 * - scan: looks for a byte that is not there, `memchr`; one stream is read;
 * - compare: two equal halves, `memcmp`; two streams are read.
 */
export async function run({ quick }: JobSettings, reporter: Reporter): Promise<void> {
  // Filled, for untouched pages are all one page of zeros, which the caches hold.
  const memory = Buffer.alloc(size, 1);
  const [first, second] = [memory.subarray(0, size / 2), memory.subarray(size / 2)];
  const ways = {
    copy: () => first.copy(second),
    scan: () => memory.indexOf(2),
    compare: () => first.compare(second),
  };
  for (const [way, work] of Object.entries(ways)) {
    const samples: number[] = [];
    for (let i = 0; i < (quick ? 3 : 7); i++) samples.push(size / (await seconds(work)) / 1e9);
    reporter.figure({ measure: `bandwidth-${way}`, unit: 'GB/s', backend: 'machine', samples });
  }
}
