// One card for each point: the trigger's probability, what was woven in, and the time.
import { html, type Html } from '@memgen/common';
import type { PartTimes, TracedLatent, TracedPoint } from '../generation/index.js';
import { counted, formatNorm, formatPercent, formatTime, visibleToken } from './format.js';
import type { TracePageData } from './page-data.js';

/** Cards that are open from the start. */
const openCards = 2;

export function pointsSection({ woven: { points }, embeddingNorm }: TracePageData): Html {
  const norms = points.flatMap(({ latents }) => latents.map(({ norm }) => norm));
  const longest = Math.max(embeddingNorm, ...norms);
  const show = { longest, embeddingNorm };
  const open = new Set(points.filter(({ woven }) => woven).slice(0, openCards));
  return html`<section aria-labelledby="points">
    <h2 id="points">What was woven in</h2>
    <p class="muted">
      A latent is a vector in the place of a token. Beside its length stand the tokens whose embeddings point most
      nearly the same way, with the cosine of the angle: 1 would be the same direction, 0 none at all. The tick in each
      bar is the length of an average embedding, ${formatNorm(embeddingNorm)}.
    </p>
    ${points.length === 0 ? html`<p>There was no point: nothing was asked and nothing woven in.</p>` : undefined}
    <ol class="points">
      ${points.map((point, i) => card(point, i + 1, { ...show, isOpen: open.has(point) }))}
    </ol>
  </section>`;
}

interface Show {
  longest: number;
  embeddingNorm: number;
}

function card(point: TracedPoint, number: number, { isOpen, ...show }: Show & { isOpen: boolean }): Html {
  const { kind, position, woven, latents, text, weaveProbability, milliseconds } = point;
  const place = kind === 'prompt' ? 'After the prompt' : `Before token ${position + 1}`;
  return html`<li id="point-${number}">
    <header>
      <a class="mark ${woven ? 'woven' : 'refused'}" href="#at-${number}" aria-label="Point ${number}: back to the text"
        >${number}</a
      >
      <h3>${place}</h3>
      <span class="decision">${woven ? `${counted(latents.length, 'latent')} woven in` : 'refused'}</span>
    </header>
    ${kind === 'prompt' ? undefined : before(text)}
    ${weaveProbability === undefined ? undefined : probability(weaveProbability)}
    ${latents.length === 0 ? undefined : latentList(latents, show, isOpen)}
    ${milliseconds === undefined ? undefined : times(milliseconds)}
  </li>`;
}

function before(text: string): Html {
  return html`<p class="before"><span class="label">Text before it</span><bdi>${lastLine(text)}</bdi></p>`;
}

function probability(share: number): Html {
  return html`<p class="probability">
    <span class="label">Trigger: weave</span>
    <span class="bar" aria-hidden="true"
      ><span class="fill trigger" style="width: ${(share * 100).toFixed(1)}%"></span
    ></span>
    <span>${formatPercent(share)}</span>
  </p>`;
}

function latentList(latents: readonly TracedLatent[], show: Show, isOpen: boolean): Html {
  return html`<details ${isOpen ? html`open` : ''}>
    <summary>Latents and the tokens nearest to them</summary>
    <table>
      <thead>
        <tr>
          <th scope="col">Latent</th>
          <th scope="col">Length</th>
          <th scope="col">Nearest tokens, cosine</th>
        </tr>
      </thead>
      <tbody>
        ${latents.map(
          (latent, i) =>
            html`<tr>
              <th scope="row">${i + 1}</th>
              <td>${norm(latent.norm, show)}</td>
              <td>${tokens(latent)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

function norm(length: number, { longest, embeddingNorm }: Show): Html {
  const share = (value: number): string => `${((value / longest) * 100).toFixed(1)}%`;
  return html`<span class="norm"
    ><span class="bar" aria-hidden="true"
      ><span class="fill weaver" style="width: ${share(length)}"></span
      ><span class="tick" style="left: ${share(embeddingNorm)}"></span></span
    ><span>${formatNorm(length)}</span></span
  >`;
}

function tokens({ nearest }: TracedLatent): Html {
  return html`<ul class="tokens">
    ${nearest.map(
      ({ text, similarity }) =>
        html`<li style="--near: ${Math.max(0, similarity).toFixed(3)}">
          <bdi>${visibleToken(text)}</bdi> <small>${similarity.toFixed(2)}</small>
        </li>`,
    )}
  </ul>`;
}

function times({ trigger, weaver, reasoner }: PartTimes): Html {
  const parts = [
    ...(trigger > 0.05 ? [`trigger ${formatTime(trigger)}`] : []),
    ...(weaver > 0 ? [`weaver ${formatTime(weaver)}`] : []),
    `reasoner ${formatTime(reasoner)}`,
  ];
  return html`<p class="times"><span class="label">This step took</span>${parts.join(', ')}</p>`;
}

/** The end of the text from the last line break but those at its very end, which are shown as signs. */
function lastLine(text: string): string {
  const shown = text.trimEnd();
  const ending = visibleToken(text.slice(shown.length) || ' ').replace(/^\u00b7$/, '');
  return shown.slice(Math.max(shown.lastIndexOf('\n') + 1, shown.length - 90)) + ending;
}
