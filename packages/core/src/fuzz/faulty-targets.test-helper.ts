// What the fuzzing must notice, done on purpose.
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { FuzzTarget } from './targets.test-helper.js';

const faulty = (use: () => unknown): FuzzTarget => ({
  cases: 1,
  prepare: () => Promise.resolve(),
  use: async () => {
    await use();
  },
});

let kept: unknown;

/** By what is wrong with them. */
export const faultyTargets: Record<string, FuzzTarget> = {
  'another error': faulty(() => (undefined as unknown as { length: number }).length),
  'a buffer': faulty(() => new Float32Array(2 ** 29)),
  'a caught buffer': faulty(() => {
    try {
      kept = new ArrayBuffer(2 ** 31);
    } catch {
      // As a reader might that calls every error damage.
    }
  }),
  growth: faulty(() => {
    kept = Array.from({ length: 2 ** 23 }, (_, i) => [i]);
  }),
  'a hang': faulty(() => {
    for (;;);
  }),
  'no memory': faulty(() => {
    const list: unknown[] = [kept];
    for (;;) list.push([list.length, {}]);
  }),
  'a program': faulty(() => execFileSync('true')),
  'a file elsewhere': faulty(async () => (await open('/etc/passwd')).close()),
};
