// HTML that is safe by construction: whatever is put into a template is escaped unless it is HTML itself.

/** HTML that may be written out as it is. */
export class Html {
  constructor(readonly text: string) {}
}

export type HtmlValue = string | number | Html | readonly HtmlValue[] | undefined;

/** Template tag: ``html`<p>${hostile}</p>` `` escapes its values; lists are joined, `undefined` is nothing. */
export function html(literals: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(literals.reduce((text, literal, i) => text + toText(values[i - 1]) + literal));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes a text show as it is, in content and in quoted attributes; control characters as {@link visibleText} does. */
export function escapeHtml(text: string): string {
  return visibleText(text).replace(/[&<>"']/g, (character) => entities[character]!);
}

/**
 * Control characters become their pictures, so that they are seen and do nothing; lone surrogates become U+FFFD. Line
 * breaks and tabs stay.
 */
export function visibleText(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('utf8')
    .replace(/\r\n/g, '\n')
    .replace(/\p{Cc}/gu, controlPicture);
}

function controlPicture(character: string): string {
  if (character === '\n' || character === '\t') return character;
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

function toText(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  return typeof value === 'object' ? value.map(toText).join('') : escapeHtml(String(value));
}
