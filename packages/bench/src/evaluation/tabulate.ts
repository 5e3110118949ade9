// Plain-text tables.

export interface TabulateOptions {
  /** Columns set to the right, by index. Default all but the first. */
  rightAligned?: readonly number[];
}

/** Aligns cells into columns under a header and a rule; no trailing blanks. */
export function tabulate(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { rightAligned = header.map((_, i) => i).slice(1) }: TabulateOptions = {},
): string {
  const widths = header.map((title, column) => Math.max(width(title), ...rows.map((row) => width(row[column] ?? ''))));
  const line = (cells: readonly string[]): string =>
    widths
      .map((columnWidth, column) => {
        const cell = cells[column] ?? '';
        const blanks = ' '.repeat(columnWidth - width(cell));
        return rightAligned.includes(column) ? blanks + cell : cell + blanks;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((columnWidth) => '-'.repeat(columnWidth)).join('  ');
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** In code points. */
function width(text: string): number {
  return Array.from(text).length;
}
