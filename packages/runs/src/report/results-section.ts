// The results of a report: bars and the table they were drawn from.
import { resultBars } from './charts/result-bars.js';
import { formatDifference, formatInterval, formatPValue, formatValue } from './format-number.js';
import { html, type Html } from './html.js';
import type { Comparison, ResultGroup, ResultsTable } from './report-data.js';

export async function resultsSection(table: ResultsTable): Promise<Html> {
  const chart = await resultBars(table);
  return html`<section>
    <h2>${table.title}</h2>
    <figure>
      ${chart}
      <figcaption>Thin lines are 95 % intervals. The table below has the same figures.</figcaption>
    </figure>
    <div class="scroll" tabindex="0" role="group" aria-label="Table: ${table.title}">${resultsTable(table)}</div>
    ${(table.notes ?? []).map((note) => html`<p class="muted">${note}</p> `)}
  </section>`;
}

function resultsTable(table: ResultsTable): Html {
  const pairs = comparedPairs(table);
  const labelOf = (id: string): string => table.arms.find((arm) => arm.id === id)?.label ?? id;
  return html`<table>
    <caption>
      ${table.caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">rows</th>
        ${table.arms.map(({ label }) => html`<th scope="col">${label}</th>`)}
        ${pairs.map(({ arm, against }) => html`<th scope="col">${labelOf(arm)} against ${labelOf(against)}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${table.groups.map((group) => groupRow(group, table, pairs))}
    </tbody>
  </table>`;
}

function groupRow(group: ResultGroup, table: ResultsTable, pairs: readonly Comparison[]): Html {
  const best = bestArm(group, table);
  const cells = table.arms.map(({ id }) => {
    const estimate = group.values[id];
    if (estimate === undefined) return html`<td>–</td>`;
    const { unit } = table;
    const value = formatValue(estimate.value, unit);
    return html`<td${id === best ? html` class="best"` : ''}>${value}<small>${formatInterval(estimate, unit)}</small></td>`;
  });
  const differences = pairs.map(({ arm, against }) => {
    const found = group.comparisons?.find((comparison) => comparison.arm === arm && comparison.against === against);
    return found === undefined ? html`<td>–</td>` : comparisonCell(found, table);
  });
  const rows = group.rows === 0 ? undefined : html` <small class="muted">${group.rows}</small>`;
  return html`<tr${group.isTotal === true ? html` class="total"` : ''}>
    <th scope="row">${group.label}${rows}</th>${cells}${differences}</tr>\n`;
}

function comparisonCell({ difference, pValue }: Comparison, { unit }: ResultsTable): Html {
  const details = [formatInterval(difference, unit), pValue === undefined ? '' : formatPValue(pValue)];
  const lines = details.filter((text) => text !== '').map((text) => html`<small>${text}</small>`);
  return html`<td>${formatDifference(difference.value, unit)}${lines}</td>`;
}

/** Only a clear lead is set off: the interval of the best arm must lie apart from all the others. */
function bestArm(group: ResultGroup, { arms, better }: ResultsTable): string | undefined {
  const direction = better === 'higher' ? 1 : -1;
  const ranked = arms
    .flatMap(({ id }) => {
      const estimate = group.values[id];
      return estimate === undefined ? [] : [{ id, estimate }];
    })
    .sort((a, b) => direction * (b.estimate.value - a.estimate.value));
  const [first, second] = ranked;
  if (first === undefined || second === undefined) return undefined;
  const floor = better === 'higher' ? first.estimate.low : first.estimate.high;
  const ceilings = ranked.slice(1).map(({ estimate }) => (better === 'higher' ? estimate.high : estimate.low));
  const isClear = ceilings.every(
    (ceiling) => floor !== undefined && ceiling !== undefined && direction * (floor - ceiling) > 0,
  );
  return isClear ? first.id : undefined;
}

/** Which arm was compared with which, in the order of their first mention. */
function comparedPairs({ groups }: ResultsTable): Comparison[] {
  const pairs = new Map<string, Comparison>();
  for (const comparison of groups.flatMap((group) => group.comparisons ?? [])) {
    const key = JSON.stringify([comparison.arm, comparison.against]);
    if (!pairs.has(key)) pairs.set(key, comparison);
  }
  return [...pairs.values()];
}
