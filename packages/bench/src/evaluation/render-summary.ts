// The summary of an evaluation as a plain-text table.
import type { AccuracySummary, ArmSummary } from './summarise.js';
import { tabulate } from './tabulate.js';

/**
 * One line per arm and family and, where there are several families, one over all: accuracy in percent, 95 % interval,
 * difference to the base arm in points, rescues and regressions, p-value.
 */
export function renderSummary(arms: readonly ArmSummary[]): string {
  const hasBase = arms.some(({ overall }) => overall.paired !== undefined);
  const header = ['arm', 'family', 'n', 'accuracy', '95 % interval'];
  if (hasBase) header.push('points', 'rescued/lost', 'p');
  const rows = arms.flatMap(({ arm, overall, families }) => {
    const parts = families.map(({ family, summary }) => cells(arm, family, summary, hasBase));
    return families.length === 1 ? parts : [...parts, cells(arm, 'all', overall, hasBase)];
  });
  const missing = arms
    .filter(({ unanswered }) => unanswered > 0)
    .map(({ arm, unanswered }) => `${arm}: ${unanswered} rows without an answer`);
  const table = tabulate(header, rows, { rightAligned: header.map((_, i) => i).slice(2) });
  return [table, ...missing].join('\n');
}

/** `"37.5 %"`; `"-"` for no number. */
export function formatPercent(share: number): string {
  return Number.isNaN(share) ? '-' : `${(100 * share).toFixed(1)} %`;
}

/** `"0.032"`, `"< 0.001"`; further digits would pretend a precision that is of no use. */
export function formatPValue(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

function cells(arm: string, family: string, summary: AccuracySummary, hasBase: boolean): string[] {
  const { n, accuracy, interval, paired } = summary;
  const shared = [
    arm,
    family,
    String(n),
    formatPercent(accuracy),
    n === 0 ? '-' : `${(100 * interval.low).toFixed(1)}-${(100 * interval.high).toFixed(1)}`,
  ];
  if (!hasBase) return shared;
  if (paired === undefined || paired.n === 0) return [...shared, '', '', ''];
  const points = 100 * paired.difference;
  return [
    ...shared,
    `${points > 0 ? '+' : ''}${points.toFixed(1)}`,
    `${paired.rescues.length}/${paired.regressions.length}`,
    formatPValue(paired.p),
  ];
}
