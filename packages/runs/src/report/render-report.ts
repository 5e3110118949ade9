// Writes a run up as one HTML page that needs no network, no script and no other file.
import { curvesSection } from './curves-section.js';
import { examplesSection } from './examples-section.js';
import { histogramSection } from './histogram-section.js';
import { html, type Html } from './html.js';
import { renderPage } from './page.js';
import type { FactGroup, ReportData, ReportHighlight } from './report-data.js';
import { resultsSection } from './results-section.js';
import { samplesSection } from './samples-section.js';

/**
 * Renders a report. Every text in `data` is escaped, and the page forbids itself scripts and network, so that what a
 * model or a file wrote is only ever shown.
 *
 * @returns a complete HTML document.
 */
export async function renderReport(data: ReportData): Promise<string> {
  const results = await Promise.all(data.results.map(resultsSection));
  const curves = await curvesSection(data.curves);
  const more = await curvesSection(data.moreCurves ?? []);
  const histograms = await Promise.all((data.histograms ?? []).map(histogramSection));
  return renderPage({
    title: data.title,
    writtenAt: data.writtenAt,
    head: html`<p class="summary">${data.summary}</p>
      ${data.story === undefined ? undefined : html`<p>${data.story}</p>`} ${highlights(data.highlights)}`,
    body: html`${results} ${examplesSection(data.examples)} ${curves} ${histograms}
    ${samplesSection(data.samples ?? [])}
    ${
      data.moreCurves?.length
        ? html`<details class="more">
            <summary>More curves</summary>
            ${more}
          </details>`
        : undefined
    }
    ${factsSection(data.facts)} ${repeatSection(data)}`,
    footer: 'Everything this page shows is in the run folder: manifest.json, metrics.jsonl, answers.jsonl.',
  });
}

function highlights(items: readonly ReportHighlight[]): Html | undefined {
  if (items.length === 0) return undefined;
  return html`<ul class="highlights">
    ${items.map(
      ({ value, label, note }) =>
        html`<li>
          <strong>${value}</strong
          ><span>${label}</span>${note === undefined ? undefined : html`<span class="muted">${note}</span>`}
        </li>`,
    )}
  </ul>`;
}

function factsSection(groups: readonly FactGroup[]): Html | undefined {
  if (groups.length === 0) return undefined;
  return html`<section>
    <h2>Speed and size</h2>
    <div class="facts">
      ${groups.map(
        ({ title, facts }) =>
          html`<div>
            <h3>${title}</h3>
            <dl>
              ${facts.map(
                ({ label, value }) =>
                  html`<div>
                    <dt>${label}</dt>
                    <dd>${value}</dd>
                  </div>`,
              )}
            </dl>
          </div>`,
      )}
    </div>
  </section>`;
}

function repeatSection({ repeat, manifest }: ReportData): Html {
  return html`<section>
    <h2>How to repeat it</h2>
    <pre>${repeat.commands.join('\n')}</pre>
    ${repeat.note === undefined ? undefined : html`<p class="muted">${repeat.note}</p>`}
    <details>
      <summary>The manifest of the run</summary>
      <pre>${JSON.stringify(manifest, undefined, 2)}</pre>
    </details>
  </section>`;
}
