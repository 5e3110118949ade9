// Exact paired test of two arms on the same questions.
import { MemGenError } from '@memgen/common';

/**
 * Two-sided exact McNemar test: were the arms equal, each disagreement would fall either way like a coin.
 *
 * @param rescues - questions only the first arm got right.
 * @param regressions - questions only the second arm got right.
 * @returns the p-value, in (0, 1]; 1 if the arms never disagree.
 */
export function mcNemarExact(rescues: number, regressions: number): number {
  if (!Number.isInteger(rescues) || !Number.isInteger(regressions) || rescues < 0 || regressions < 0) {
    throw new MemGenError({
      code: 'statistics-input',
      message: 'the test needs two counts',
      got: `${rescues} and ${regressions}`,
    });
  }
  const n = rescues + regressions;
  const k = Math.min(rescues, regressions);
  if (rescues === regressions) return 1;
  // Sum of binomial terms in logarithms: 2^-n alone would underflow beyond 1074 disagreements.
  let logTerm = -n * Math.LN2;
  let tail = 0;
  const logTerms = [logTerm];
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i);
    logTerms.push(logTerm);
  }
  for (const term of logTerms) tail += Math.exp(term - logTerm);
  return Math.min(1, 2 * Math.exp(logTerm + Math.log(tail)));
}
