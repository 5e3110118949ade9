// How long each part took, with and without memory, on one scale.
import { html, type Html } from '@memgen/common';
import type { PartTimes } from '../generation/index.js';
import { counted, formatTime } from './format.js';
import type { TracePageData } from './page-data.js';

const parts = ['reasoner', 'weaver', 'trigger'] as const;

export function timeSection({ woven, plain }: TracePageData): Html {
  const rows = [
    { name: 'With memory', times: woven.milliseconds, tokens: woven.pieces.length },
    { name: 'Without memory', times: plain.milliseconds, tokens: plain.pieces.length },
  ];
  const longest = Math.max(...rows.map(({ times }) => total(times)), 1e-9);
  const used = parts.filter((part) => rows.some(({ times }) => times[part] > 0));
  return html`<section aria-labelledby="time">
    <h2 id="time">Time</h2>
    <div class="scroll">
      <table class="time">
        <thead>
          <tr>
            <th scope="col">Answer</th>
            ${used.map((part) => html`<th scope="col"><span class="dot ${part}" aria-hidden="true"></span>${part}</th>`)}
            <th scope="col">per token</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ name, times, tokens }) =>
              html`<tr class="lane">
                  <td colspan="${used.length + 2}">
                    <span class="bar stacked" aria-hidden="true"
                      >${used.map(
                        (part) =>
                          html`<span
                            class="fill ${part}"
                            style="width: ${((times[part] / longest) * 100).toFixed(2)}%"
                          ></span>`,
                      )}</span
                    >
                  </td>
                </tr>
                <tr>
                  <th scope="row">${name} <small>${counted(tokens, 'token')}</small></th>
                  ${used.map((part) => html`<td>${times[part] > 0 ? formatTime(times[part]) : '–'}</td>`)}
                  <td>${tokens > 0 ? formatTime(total(times) / tokens) : '–'}</td>
                </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="muted">Set-up, sampling and the search for near tokens are not counted.</p>
  </section>`;
}

function total(times: PartTimes): number {
  return parts.reduce((sum, part) => sum + times[part], 0);
}
