// The two answers side by side, with the points of the one marked in its text.
import { html, type Html } from '@memgen/common';
import type { TracedPoint } from '../generation/index.js';
import { counted } from './format.js';
import type { TracePageData } from './page-data.js';

export function answersSection({ woven, plain }: TracePageData): Html {
  const [first, second] = [woven.pieces.join(''), plain.pieces.join('')];
  const shared = commonStart(first, second);
  const same = first === second;
  return html`<section aria-labelledby="answers">
    <h2 id="answers">The two answers</h2>
    <div class="answers">
      <article>
        <h3>With memory <small>${counted(woven.pieces.length, 'token')}</small></h3>
        <p class="text">${wovenText(woven.pieces, woven.points, shared)}</p>
      </article>
      <article>
        <h3>Without memory <small>${counted(plain.pieces.length, 'token')}</small></h3>
        <p class="text">${markedText(second, shared)}</p>
      </article>
    </div>
    <ul class="legend">
      ${legend(woven.points)}
      <li>${same ? 'Both texts are the same.' : html`<b class="own">Marked text</b> is where they part.`}</li>
    </ul>
  </section>`;
}

function legend(points: readonly TracedPoint[]): Html[] {
  const entries: Html[] = [];
  if (points.some(({ woven }) => woven)) {
    entries.push(html`<li><span class="mark woven" aria-hidden="true">1</span> memory was woven in here</li>`);
  }
  if (points.some(({ woven }) => !woven)) {
    entries.push(html`<li><span class="mark refused" aria-hidden="true">2</span> the trigger refused</li>`);
  }
  return entries;
}

/** @param shared - how many characters both texts begin with. */
function wovenText(pieces: readonly string[], points: readonly TracedPoint[], shared: number): Html[] {
  const parts: Html[] = [];
  let [length, token] = [0, 0];
  points.forEach((point, i) => {
    const text = pieces.slice(token, point.position).join('');
    parts.push(...markedText(text, shared - length), mark(point, i + 1));
    length += text.length;
    token = point.position;
  });
  return [...parts, ...markedText(pieces.slice(token).join(''), shared - length)];
}

/** The first `shared` characters as they are, the rest marked, but not white space before it. */
function markedText(text: string, shared: number): Html[] {
  const cut = Math.max(0, Math.min(shared, text.length));
  const start = cut + text.slice(cut).search(/\S|$/);
  const rest = text.slice(start);
  return [html`${text.slice(0, start)}`, ...(rest === '' ? [] : [html`<b class="own">${rest}</b>`])];
}

function mark({ woven, latents, kind }: TracedPoint, number: number): Html {
  const what = woven ? `${counted(latents.length, 'latent')} woven in` : 'refused by the trigger';
  const label = `Point ${number}, ${kind === 'prompt' ? 'after the prompt' : 'in the text'}: ${what}`;
  return html`<a class="mark ${woven ? 'woven' : 'refused'}" id="at-${number}" href="#point-${number}" aria-label="${label}" title="${label}">${number}</a>`; // prettier-ignore
}

/** Length of the longest start that two texts share, in whole characters. */
function commonStart(first: string, second: string): number {
  let length = 0;
  while (length < first.length && first[length] === second[length]) length++;
  const inside = /[\ud800-\udbff]$/.test(first.slice(0, length));
  return inside ? length - 1 : length;
}
