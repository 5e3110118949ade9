// Rows as a table: for a terminal, and for a document.
import { tabulate } from '@memgen/bench';
import { shareOfLimit, type Row } from './row.js';

const header = ['measurement', 'unit', 'value', 'min - max', 'limit', 'of limit', 'reference', 'ratio', 'goal', 'met'];

/** Three significant digits, no exponent. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined) return '-';
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return size >= 0.001 || value === 0 ? value.toPrecision(3) : value.toFixed(6);
}

function cells(row: Row): string[] {
  const { spread, goal, met, better } = row;
  const share = shareOfLimit(row);
  return [
    row.name,
    row.unit,
    formatNumber(row.value),
    spread.repetitions === 1 ? '-' : `${formatNumber(spread.minimum)} - ${formatNumber(spread.maximum)}`,
    formatNumber(row.limit),
    share === undefined ? '-' : `${(100 * share).toFixed(0)} %`,
    `${formatNumber(row.reference)}${row.note?.includes('published') === true ? '*' : ''}`,
    formatNumber(row.ratio),
    goal === undefined ? '-' : `${better === 'higher' ? '>=' : '<='} ${formatNumber(goal)}`,
    met === undefined ? '-' : met ? 'yes' : 'no',
  ];
}

const footnote = '* published once, not measured in this run';

export function textTable(rows: readonly Row[]): string {
  const table = tabulate(header, rows.map(cells), { rightAligned: header.map((_, i) => i).slice(2) });
  return table.includes('*') ? `${table}\n${footnote}` : table;
}

export function markdownTable(rows: readonly Row[]): string {
  const line = (values: readonly string[]) => `| ${values.map((value) => value.replace('*', '\\*')).join(' | ')} |`;
  const rule = `|${header.map((_, i) => (i < 2 ? '---' : '--:')).join('|')}|`;
  const table = [line(header), rule, ...rows.map((row) => line(cells(row)))].join('\n');
  return table.includes('\\*') ? `${table}\n\n\\${footnote}` : table;
}
