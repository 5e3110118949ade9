// Several runs on one page: what they are, what differs in their settings, what came out, their curves together.
import { MemGenError } from '@memgen/common';
import type { RunManifest } from '../manifest.js';
import { seriesColours } from './charts/chart-svg.js';
import { curvesSection } from './curves-section.js';
import { differingSettings } from './differing-settings.js';
import { formatNumber, formatValue } from './format-number.js';
import { Html, html } from './html.js';
import { metricCurves, type RunMetrics } from './metric-curves.js';
import { renderPage } from './page.js';
import type { ResultsTable } from './report-data.js';
import { resultsSection } from './results-section.js';

/** A run to compare. */
export interface ComparedRun extends RunMetrics {
  manifest: Readonly<RunManifest>;
}

export interface RunComparison {
  /** At least two. */
  runs: readonly ComparedRun[];
  /** Results as the application reads them out of the manifests, an arm for each run. @default [] */
  results?: readonly ResultsTable[];
  /** ISO 8601. */
  writtenAt: string;
}

/**
 * Renders a comparison as one HTML page that needs no network and no script. All texts are escaped.
 *
 * @throws MemGenError with code `comparison` for fewer than two runs.
 */
export async function renderComparison({ runs, results = [], writtenAt }: RunComparison): Promise<string> {
  if (runs.length < 2) {
    throw new MemGenError({
      code: 'comparison',
      message: 'a comparison needs several runs',
      got: `${runs.length}`,
      expected: 'two or more',
    });
  }
  const curves = metricCurves(runs);
  const sections = await Promise.all(results.map(resultsSection));
  const more = await curvesSection(curves.more);
  return renderPage({
    title: `${runs.length} runs compared`,
    writtenAt,
    head: html`<p class="summary">${runs.map(({ label }) => label).join(', ')}</p>`,
    body: html`${runsTable(runs)} ${settingsTable(runs)} ${sections} ${await curvesSection(curves.main)}
    ${
      curves.more.length > 0
        ? html`<details class="more">
            <summary>More curves</summary>
            ${more}
          </details>`
        : undefined
    }
    ${lastValuesTable(runs)} ${manifests(runs)}`,
    footer: 'Everything this page shows is in the run folders: manifest.json and metrics.jsonl.',
  });
}

/** What each run is, with the colour of its curves. */
function runsTable(runs: readonly ComparedRun[]): Html {
  const colours = seriesColours(runs.length);
  return html`<section>
    <h2>The runs</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">run</th>
            ${['status', 'seed', 'steps', 'time', 'backend', 'commit'].map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${runs.map(
            (run, i) =>
              html`<tr>
                <th scope="row">${swatch(colours[i]!)}${run.label}</th>
                ${runFacts(run).map((fact) => html`<td>${fact}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

/** Names of colours are ours, so they may stand as they are. */
function swatch(colour: string): Html {
  return new Html(`<span class="swatch" style="background: ${colour}"></span>`);
}

function runFacts({ manifest, metrics }: ComparedRun): string[] {
  const last = manifest.sessions.at(-1)!;
  const steps = metrics.reduce((highest, { step }) => Math.max(highest, step), 0);
  const milliseconds = manifest.sessions.reduce(
    (sum, session) => sum + (Date.parse(session.ended_at ?? '') - Date.parse(session.started_at)),
    0,
  );
  const minutes = Number.isFinite(milliseconds) ? `${(milliseconds / 60_000).toFixed(1)} min` : '\u2013';
  const commit =
    last.git === undefined ? '\u2013' : `${last.git.commit.slice(0, 8)}${last.git.dirty ? ' and changes' : ''}`;
  return [manifest.status, String(manifest.seed), formatNumber(steps), minutes, last.backend.name, commit];
}

function settingsTable(runs: readonly ComparedRun[]): Html {
  const settings = differingSettings(runs.map(({ manifest }) => manifest.config));
  const table = runTable(
    'setting',
    runs,
    settings.map(({ key, values }) => ({ label: key, cells: values.map((value) => value ?? '\u2013') })),
  );
  return html`<section>
    <h2>Settings that differ</h2>
    ${settings.length === 0 ? html`<p>None: the runs have the same configuration.</p>` : table}
  </section>`;
}

/** The last finite value of every metric, for what is not worth a curve. */
function lastValuesTable(runs: readonly ComparedRun[]): Html | undefined {
  const last = runs.map(({ metrics }) => {
    const values = new Map<string, number>();
    for (const record of metrics) {
      for (const [name, value] of Object.entries(record)) {
        if (name !== 'step' && typeof value === 'number') values.set(name, value);
      }
    }
    return values;
  });
  const names = [...new Set(last.flatMap((values) => [...values.keys()]))].sort();
  if (names.length === 0) return undefined;
  const rows = names.map((name) => ({
    label: name,
    cells: last.map((values) => formatValue(values.get(name), 'number')),
  }));
  return html`<section>
    <h2>Last values</h2>
    <details>
      <summary>The last value of every metric</summary>
      ${runTable('metric', runs, rows)}
    </details>
  </section>`;
}

function runTable(
  title: string,
  runs: readonly ComparedRun[],
  rows: readonly { label: string; cells: readonly string[] }[],
) {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">${title}</th>
          ${runs.map(({ label }) => html`<th scope="col">${label}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ label, cells }) =>
            html`<tr>
              <th scope="row">${label}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function manifests(runs: readonly ComparedRun[]): Html {
  return html`<section>
    <h2>Manifests</h2>
    ${runs.map(
      ({ label, manifest }) =>
        html`<details>
          <summary>${label}</summary>
          <pre>${JSON.stringify(manifest, undefined, 2)}</pre>
        </details>`,
    )}
  </section>`;
}
