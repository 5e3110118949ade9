// Results as lines of text.
import type { CaseResult, Tally } from './run.js';

const labels = { passed: 'pass', failed: 'FAIL', skipped: 'skip' } as const;
/** So many failures of one case are shown; there may be one for each tensor. */
const shownFailures = 5;

/** One line for a case: pass or fail, name, the error nearest to its limit, time; below it what failed. */
export function formatResult(result: CaseResult): string {
  const start = `${labels[result.outcome]}  ${result.name.padEnd(46)}`;
  if (result.outcome === 'skipped') return `${start}  ${result.reason}`;
  const { failures, milliseconds } = result;
  const lines = [`${start}  ${describeWorst(result)}  ${Math.round(milliseconds)} ms`];
  for (const failure of failures.slice(0, shownFailures)) lines.push(`      ${failure.replaceAll('\n', '\n      ')}`);
  if (failures.length > shownFailures) lines.push(`      and ${failures.length - shownFailures} more`);
  return lines.join('\n');
}

export function formatTally({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function describeWorst({ worst, outcome }: Exclude<CaseResult, { outcome: 'skipped' }>): string {
  // A failure of equality, or an error, has no size.
  if (outcome === 'failed' && (worst === undefined || worst.share <= 1)) return 'see below';
  if (worst?.error === undefined) return 'exact';
  return `${worst.error.toExponential(1)} of ${(worst.allowed ?? 0).toExponential(1)} (${worst.name})`;
}
