// Example answers of a report: one row, and what every arm made of it.
import { html, type Html } from './html.js';
import type { ExampleRow } from './report-data.js';
import { verbatim } from './verbatim.js';

export function examplesSection(examples: readonly ExampleRow[]): Html | undefined {
  if (examples.length === 0) return undefined;
  return html`<section>
    <h2>Example answers</h2>
    <p class="muted">The same questions, answered by every arm. All answers are in answers.jsonl.</p>
    ${examples.map(exampleCard)}
  </section>`;
}

function exampleCard({ title, prompt, solution, answers }: ExampleRow): Html {
  return html`<article class="example">
    <h3>${title}</h3>
    <dl>
      <div>
        <dt>question</dt>
        <dd>${verbatim(prompt)}</dd>
      </div>
      <div>
        <dt>right answer</dt>
        <dd>${verbatim(solution)}</dd>
      </div>
      ${answers.map(answerLine)}
    </dl>
  </article> `;
}

function answerLine({ arm, completion, correct }: ExampleRow['answers'][number]): Html {
  const verdict = correct ? '\u2713 correct' : '\u2717 incorrect';
  return html`<div class="${correct ? 'right' : 'wrong'}">
    <dt>${arm}<span class="verdict">${verdict}</span></dt>
    <dd>${completion === '' ? html`<span class="muted">(nothing)</span>` : verbatim(completion)}</dd>
  </div>`;
}
