// The histograms of a report, each with its shares as a table.
import { histogramChart } from './charts/histogram-chart.js';
import { formatValue } from './format-number.js';
import { html, type Html } from './html.js';
import type { ReportHistogram } from './report-data.js';

export async function histogramSection(histogram: ReportHistogram): Promise<Html> {
  const { title, caption, valueLabel, bars, series } = histogram;
  return html`<section>
    <h2>${title}</h2>
    <figure>
      ${await histogramChart(histogram)}
      <figcaption>${caption}</figcaption>
    </figure>
    <details>
      <summary>Values as a table</summary>
      <div class="scroll">
        <table>
          <caption>
            ${title}
          </caption>
          <thead>
            <tr>
              <th scope="col">${valueLabel}</th>
              ${series.map(({ label }) => html`<th scope="col">${label}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${bars.map(
              (bar, i) =>
                html`<tr>
                  <th scope="row">${bar}</th>
                  ${series.map(({ shares }) => html`<td>${formatValue(shares[i], 'percent')}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}
