// What a model wrote, shown as it stands.
import { html, type Html } from './html.js';

/** A model that runs on and on must not make the page unreadable. */
const maxCharacters = 2000;

/** Line breaks and blanks as they are; `bdi`, so that right-to-left marks in an answer do not turn the page around. */
export function verbatim(text: string): Html {
  return html`<bdi class="text">${shorten(text)}</bdi>`;
}

function shorten(text: string): string {
  if (text.length <= maxCharacters) return text;
  return `${text.slice(0, maxCharacters)}\u2026 (${text.length - maxCharacters} more characters)`;
}
