// How far results may be from the recorded ones, and the record of what was compared in one case.
import { isDeepStrictEqual } from 'node:util';

/** A number passes when `|got - want| <= absolute + relative * |want|`. */
export interface Tolerance {
  absolute: number;
  /** @default 0 */
  relative?: number;
}

/**
 * What float32 arithmetic in another order may change. The reference's own float32 results differ from float64 ones by
 * at most 1e-5 (logits), 5e-7 (losses) and 4e-7 (gradients).
 */
export const tolerances = {
  /** Logits, and hidden states after the final norm, which are of the same size. */
  logits: { absolute: 1e-4 },
  loss: { absolute: 1e-5 },
  gradient: { absolute: 1e-5, relative: 1e-3 },
  /** Numbers that are read or multiplied once: weights, rotation frequencies. */
  stored: { absolute: 1e-6, relative: 1e-6 },
  /** Computed in double precision on both sides: learning rates. */
  double: { absolute: 1e-15, relative: 1e-12 },
} as const satisfies Record<string, Tolerance>;

/** One thing that was compared, by its worst element. */
export interface Quantity {
  /** What it is, e.g. `"logits"`. */
  name: string;
  /** Largest difference; `undefined` where things are equal or not. */
  error?: number;
  /** What was allowed at the worst element. */
  allowed?: number;
  /** Largest difference as a part of what was allowed there; above 1 it fails. */
  share: number;
  /** Where and how it differs; only of a failure. */
  problem?: string;
}

/** Collects what is compared in one case. */
export class Comparison {
  readonly quantities: Quantity[] = [];

  /**
   * Compares two lists of numbers element by element.
   * @param allowed - one tolerance for all, or the largest difference of each element.
   */
  numbers(name: string, got: ArrayLike<number>, want: ArrayLike<number>, allowed: Tolerance | ArrayLike<number>): void {
    if (got.length !== want.length) {
      this.quantities.push({ name, share: Infinity, problem: `${got.length} numbers instead of ${want.length}` });
      return;
    }
    let worst = { index: 0, error: 0, allowed: 0, share: 0 };
    for (let i = 0; i < want.length; i++) {
      const limit = 'absolute' in allowed ? limitOf(allowed, want[i]!) : allowed[i]!;
      const error = difference(got[i]!, want[i]!);
      const share = error === 0 ? 0 : error / limit;
      // Written so that a NaN, which is neither more nor less, is the worst.
      if (!(share <= worst.share))
        worst = { index: i, error, allowed: limit, share: Number.isNaN(share) ? Infinity : share };
    }
    const { index, error, allowed: limit, share } = worst;
    const problem = `element ${index}: got ${got[index]}, expected ${want[index]} +- ${limit.toExponential(1)}`;
    this.quantities.push({ name, error, allowed: limit, share, ...(share > 1 && { problem }) });
  }

  /** Compares anything for equality: ids, texts, flags, lists of them. */
  exact(name: string, got: unknown, want: unknown): void {
    if (isDeepStrictEqual(got, want)) this.quantities.push({ name, share: 0 });
    else this.quantities.push({ name, share: Infinity, problem: firstDifference(got, want) });
  }

  /** Records that something could not be compared at all. */
  fail(name: string, problem: string): void {
    this.quantities.push({ name, share: Infinity, problem });
  }

  get failures(): Quantity[] {
    return this.quantities.filter(({ problem }) => problem !== undefined);
  }

  /** The number that came closest to its limit; undefined when only equality was asked. */
  get worst(): Quantity | undefined {
    const numbers = this.quantities.filter(({ error }) => error !== undefined);
    return numbers.reduce<Quantity | undefined>(
      (worst, next) => (next.share > (worst?.share ?? -1) ? next : worst),
      undefined,
    );
  }
}

/** Largest difference that a tolerance allows from `want`. */
export function limitOf({ absolute, relative = 0 }: Tolerance, want: number): number {
  return absolute + relative * Math.abs(want);
}

/** 0 for equal numbers, infinities and NaNs included. */
function difference(got: number, want: number): number {
  return Object.is(got, want) ? 0 : Math.abs(got - want);
}

/** Path of the first place at which two values differ, with both values there. */
function firstDifference(got: unknown, want: unknown, path = ''): string {
  if (Array.isArray(got) && Array.isArray(want)) {
    const length = Math.max(got.length, want.length);
    for (let i = 0; i < length; i++) {
      if (!isDeepStrictEqual(got[i], want[i])) return firstDifference(got[i], want[i], `${path}[${i}]`);
    }
  }
  return `${path === '' ? '' : `${path}: `}got ${show(got)}, expected ${show(want)}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
