// The page around a report: one file that needs no network and no script, and forbids itself both.
import { html, type Html } from './html.js';
import { style } from './style.js';

export interface Page {
  title: string;
  /** ISO 8601. */
  writtenAt: string;
  /** Below the title. */
  head: Html;
  body: Html;
  footer: string;
}

/** @returns a complete HTML document. */
export function renderPage({ title, writtenAt, head, body, footer }: Page): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <header>
          <p class="written">${writtenAt.slice(0, 16).replace('T', ' ')} UTC</p>
          <h1>${title}</h1>
          ${head}
        </header>
        <main>${body}</main>
        <footer>${footer}</footer>
      </body>
    </html> `;
  return page.text;
}
