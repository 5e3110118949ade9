// A process of its own that runs cases of one target and reports each: whoever started it ends it when a case hangs.
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { faultyTargets } from './faulty-targets.test-helper.js';
import { makeTargets, type FuzzTarget } from './targets.test-helper.js';
import { Watch } from './watch.test-helper.js';

/** Sent before and after each case. */
export type CaseReport =
  | { seed: number; state: 'started' }
  | { seed: number; state: 'done'; outcome: string; faults: string[]; milliseconds: number; largestRequest: number };

/** A single buffer may be this many times as large as all files of the case together, and never more than that of small ones. */
const largestFactor = 16;
const largestOfSmall = 24 * 2 ** 20;
/** How much the process may grow in one case: garbage of the cases before is part of it. */
const largestGrowth = 256 * 2 ** 20;
const longestMilliseconds = 8000;

const [folder = '', name = '', first = '0', last = '0'] = process.argv.slice(2);
await tf.setBackend('cpu');
await tf.ready();

let faults: string[] = [];
let outcome = 'read';
const expected = (error: unknown): void => {
  if (MemGenError.isInstance(error)) outcome = error.code;
  else
    faults.push(`an error of another kind: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
};
const target = { ...makeTargets(expected), ...faultyTargets }[name];
if (target === undefined) throw new Error(`there is no target ${name}`);
const watch = new Watch();
for (let seed = Number(first); seed < Number(last); seed++) await runCase(target, seed);
process.disconnect();

async function runCase({ prepare, use }: FuzzTarget, seed: number): Promise<void> {
  report({ seed, state: 'started' });
  const place = join(folder, `${name}-${seed}`);
  await mkdir(place);
  const random = Random.fromSeed(seed).fork(name);
  await prepare(random, place);
  const size = await sizeOf(place);
  faults = [];
  outcome = 'read';
  const peak = process.resourceUsage().maxRSS;
  const started = performance.now();
  watch.start(place, Math.max(largestOfSmall, largestFactor * size));
  await use(place, random).catch(expected);
  const { largestRequest, deeds } = watch.stop();
  const milliseconds = performance.now() - started;
  const grown = (process.resourceUsage().maxRSS - peak) * 1024;
  if (largestRequest > Math.max(largestOfSmall, largestFactor * size)) {
    faults.push(`a buffer of ${largestRequest} bytes for files of ${size}`);
  }
  if (grown > largestGrowth) faults.push(`the process grew by ${grown} bytes for files of ${size}`);
  if (milliseconds > longestMilliseconds) faults.push(`it took ${Math.round(milliseconds)} ms`);
  faults.push(...deeds.map((deed) => `what no file may lead to: ${deed}`));
  if ('polluted' in {}) faults.push('the prototype of all objects was changed');
  await rm(place, { recursive: true });
  if ((await readdir(folder)).includes('canary')) faults.push('the canary is there');
  report({ seed, state: 'done', outcome, faults: [...new Set(faults)], milliseconds, largestRequest });
}

async function sizeOf(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true });
  const sizes = await Promise.all(names.map(async (entry) => (await stat(join(path, entry))).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

function report(message: CaseReport): void {
  process.send?.(message);
}
