// Writes a traced generation up as one HTML page that needs no network, no script and no other file.
import { html, type Html } from '@memgen/common';
import { answersSection } from './answers-section.js';
import { counted } from './format.js';
import type { TracePageData } from './page-data.js';
import { pointsSection } from './points-section.js';
import { style } from './style.js';
import { timeSection } from './time-section.js';

/**
 * Renders a trace. Every text in `data` is escaped, and the page forbids itself scripts and network, so that what a model
 * wrote is only ever shown.
 *
 * @returns a complete HTML document.
 */
export function renderTracePage(data: TracePageData): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>Woven: ${shortened(data.prompt)}</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <header class="top">
          <p class="kicker">memgen weave</p>
          <h1>${headline(data)}</h1>
          <p class="summary">${summary(data)}</p>
          ${data.remark === undefined ? undefined : html`<p class="remark">${data.remark}</p>`}
          <figure>
            <figcaption>Prompt</figcaption>
            <blockquote class="text">${data.prompt}</blockquote>
          </figure>
        </header>
        <main>${answersSection(data)} ${pointsSection(data)} ${timeSection(data)} ${factsSection(data)}</main>
      </body>
    </html> `;
  return page.text;
}

function headline({ woven, plain }: TracePageData): string {
  if (!woven.points.some((point) => point.woven)) return 'Nothing was woven in';
  const same = woven.pieces.join('') === plain.pieces.join('');
  return same ? 'Memory changed nothing here' : 'The same prompt, with memory and without';
}

function summary({ woven: { points, pieces } }: TracePageData): string {
  const woven = points.filter((point) => point.woven);
  const latents = woven.reduce((sum, point) => sum + point.latents.length, 0);
  const refused = points.length - woven.length;
  const refusal = refused === 0 ? '' : `; at ${counted(refused, 'point')} the trigger refused`;
  return (
    `${counted(latents, 'latent')} at ${counted(woven.length, 'point')} ` +
    `among ${counted(pieces.length, 'token')} of the answer${refusal}.`
  );
}

function factsSection({ facts }: TracePageData): Html {
  return html`<section aria-labelledby="facts">
    <h2 id="facts">Made with</h2>
    <dl>
      ${facts.map(
        ({ label, value }) =>
          html`<div>
            <dt>${label}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
