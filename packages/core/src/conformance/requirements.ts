// Requirements of conformance checks: conditions, closeness of numbers, refusals.
import { MemGenError } from '@memgen/common';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a failed check says. */
export interface ConformanceDetails {
  message: string;
  got?: string;
  expected?: string;
  hint?: string;
}

/** @throws MemGenError `conformance` unless the condition holds. */
export function requireThat(condition: boolean, details: ConformanceDetails): asserts condition {
  if (!condition) throw new MemGenError({ code: 'conformance', ...details });
}

/**
 * @param tolerance - largest difference, as a part of the largest expected value (of 1 at least).
 * @throws MemGenError `conformance` that names the place of the largest difference.
 */
export function requireClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  details: Pick<ConformanceDetails, 'message' | 'hint'>,
): void {
  requireThat(got.length === expected.length, {
    ...details,
    got: `${got.length} values`,
    expected: String(expected.length),
  });
  let worst = 0;
  let largest = 1;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    // Written so that NaN is worse than anything.
    if (!(Math.abs(got[i]! - expected[i]!) <= Math.abs(got[worst]! - expected[worst]!))) worst = i;
  }
  if (expected.length === 0) return;
  requireThat(Math.abs(got[worst]! - expected[worst]!) <= tolerance * largest, {
    ...details,
    got: `${got[worst]} at place ${worst} of ${expected.length}`,
    expected: `${expected[worst]}, within ${tolerance * largest}`,
  });
}

/** @throws MemGenError `conformance` unless the action fails with a MemGenError. */
export function requireRefusal(action: () => void, what: string): void {
  try {
    action();
  } catch (error) {
    requireThat(MemGenError.isInstance(error), {
      message: `${what} must be refused with a MemGenError`,
      got: String(error),
      hint: 'SessionRows and checkVectors of @memgen/core check what a session is given',
    });
    return;
  }
  requireThat(false, { message: `${what} must be refused`, got: 'no error', expected: 'a MemGenError' });
}

/** A folder that is gone afterwards. */
export async function withTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'memgen-conformance-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
