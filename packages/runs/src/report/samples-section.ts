// What a policy wrote early and late in its training.
import { html, type Html } from './html.js';
import type { SamplePair } from './report-data.js';
import { formatNumber } from './format-number.js';
import { verbatim } from './verbatim.js';

export function samplesSection(pairs: readonly SamplePair[]): Html | undefined {
  if (pairs.length === 0) return undefined;
  return html`<section>
    <h2>Before and after</h2>
    <p class="muted">Completions that were sampled while training, early and late. All are in samples.jsonl.</p>
    ${pairs.map(
      ({ prompt, samples }) =>
        html`<article class="example">
          <dl>
            <div>
              <dt>prompt</dt>
              <dd>${verbatim(prompt)}</dd>
            </div>
            ${samples.map(sampleLine)}
          </dl>
        </article> `,
    )}
  </section>`;
}

function sampleLine({ step, completion, reward, woven, decisions }: SamplePair['samples'][number]): Html {
  const facts = [
    reward === null ? 'no reward' : `reward ${formatNumber(reward)}`,
    ...(woven === undefined ? [] : [`latents at ${woven} of ${decisions ?? woven} points`]),
  ];
  return html`<div>
    <dt>step ${step}<span class="verdict">${facts.join(', ')}</span></dt>
    <dd>${completion === '' ? html`<span class="muted">(nothing)</span>` : verbatim(completion)}</dd>
  </div>`;
}
