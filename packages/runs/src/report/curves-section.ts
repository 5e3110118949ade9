// The curves of a report, each with its values as a table.
import { curveChart } from './charts/curve-chart.js';
import { thinOut } from './charts/points.js';
import { formatValue } from './format-number.js';
import { html, type Html } from './html.js';
import type { ReportCurve } from './report-data.js';

/** As many lines as a person reads; the whole curve is in metrics.jsonl. */
const tableLines = 12;

export async function curvesSection(curves: readonly ReportCurve[]): Promise<Html> {
  return html`${await Promise.all(curves.map(curveFigure))}`;
}

async function curveFigure(curve: ReportCurve): Promise<Html> {
  return html`<section>
    <h2>${curve.title}</h2>
    <figure>
      ${await curveChart(curve)}
      <figcaption>${curve.caption}</figcaption>
    </figure>
    <details>
      <summary>Values as a table</summary>
      <div class="scroll">${curveTable(curve)}</div>
    </details>
  </section>`;
}

function curveTable({ title, series, valueLabel }: ReportCurve): Html {
  const values = series.map(({ points }) => new Map(points.map(({ step, value }) => [step, value])));
  const allSteps = [...new Set(series.flatMap(({ points }) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  const steps = thinOut(allSteps, tableLines);
  const cut =
    steps.length < allSteps.length ? ` ${steps.length} of ${allSteps.length} steps; all are in metrics.jsonl.` : '';
  return html`<table>
    <caption>
      ${title}: ${valueLabel}.${cut}
    </caption>
    <thead>
      <tr>
        <th scope="col">step</th>
        ${series.map(({ label }) => html`<th scope="col">${label}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${steps.map(
        (step) =>
          html`<tr>
            <th scope="row">${step}</th>
            ${values.map((of) => html`<td>${formatValue(of.get(step), 'number')}</td>`)}
          </tr> `,
      )}
    </tbody>
  </table>`;
}
