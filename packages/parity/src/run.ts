// Checks the cases of a folder one after the other and tells the result of each.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { Comparison, type Quantity } from './compare.js';
import { findCases, type FoundCase } from './find-cases.js';
import { GoldenCase } from './golden-case.js';

export type CaseResult = { name: string } & (
  | {
      outcome: 'passed' | 'failed';
      /** The number that came closest to its limit. */
      worst: Quantity | undefined;
      /** What is wrong, a line each. */
      failures: string[];
      milliseconds: number;
    }
  | { outcome: 'skipped'; reason: string }
);

export interface RunOptions {
  /** Patterns for the names of cases. @default all */
  only?: readonly string[];
  /** Weights of SmolLM2-135M-Instruct; the cases that need them are skipped without. */
  smollm2?: string | undefined;
  /** Milliseconds of a clock that only moves forward. @default performance.now */
  now?: () => number;
  onResult?: (result: CaseResult) => void;
}

export type Tally = Record<CaseResult['outcome'], number>;

/** Runs on the tfjs backend that is in use. @throws MemGenError `parity-layout` if there is nothing to check. */
export async function runParity(
  folder: string,
  { only, smollm2, now = () => performance.now(), onResult }: RunOptions = {},
): Promise<Tally> {
  const { root, cases } = await findCases(folder, only);
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  for (const found of cases) {
    const result = await runCase(found, { root, smollm2, now });
    tally[result.outcome]++;
    onResult?.(result);
  }
  return tally;
}

/** Checks one case. Whatever goes wrong in it, tensors that stay behind included, is its failure. */
export async function runCase(
  { name, kind }: FoundCase,
  { root, smollm2, now }: { root: string; smollm2?: string | undefined; now: () => number },
): Promise<CaseResult> {
  if ('unsupported' in kind) return { name, outcome: 'skipped', reason: kind.unsupported };
  const start = now();
  const tensorsBefore = tf.memory().numTensors;
  const golden = new GoldenCase({ name, root, smollm2 });
  const compare = new Comparison();
  try {
    const reason = await kind.skip?.(golden);
    if (reason !== undefined) return { name, outcome: 'skipped', reason };
    await kind.check(golden, compare);
  } catch (error) {
    compare.fail('error', describe(error));
  } finally {
    await golden.close();
  }
  const left = tf.memory().numTensors - tensorsBefore;
  // After an error, tensors of the interrupted check are left behind; that is not what is wrong then.
  if (compare.failures.length === 0) compare.exact('tensors left behind', left, 0);
  const failures = compare.failures.map(({ name, problem }) => `${name}: ${problem}`);
  return {
    name,
    outcome: failures.length === 0 ? 'passed' : 'failed',
    worst: compare.worst,
    failures,
    milliseconds: now() - start,
  };
}

function describe(error: unknown): string {
  if (MemGenError.isInstance(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
