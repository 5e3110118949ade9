// Finds what a chat template marks as generated, by rendering the marks themselves.

const tagPattern = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;

/** Characters of a private-use plane that stand for the two tags in a rendered text. */
export interface GenerationMarks {
  start: string;
  end: string;
}

export function hasGenerationTags(source: string): boolean {
  return source.search(tagPattern) >= 0;
}

/** Marks that occur nowhere in `content`, the template and the messages together. */
export function unusedMarks(content: string): GenerationMarks {
  const unused: string[] = [];
  for (let code = 0xf0000; unused.length < 2; code++) {
    const mark = String.fromCodePoint(code);
    if (!content.includes(mark)) unused.push(mark);
  }
  return { start: unused[0]!, end: unused[1]! };
}

/**
 * Rewrites `{% generation %}` and `{% endgeneration %}` into ordinary blocks that print the marks.
 *
 * A block, not a bare `{{ mark }}`: the tags take part in Jinja's white-space control, and blocks keep it as it was. (The
 * template library drops the tags instead, which lets white space on their two sides meet.)
 */
export function markGenerationTags(source: string, { start, end }: GenerationMarks): string {
  return source.replaceAll(tagPattern, (_, left: string, closing: string | undefined, right: string) => {
    return `{%${left} if true %}{{ '${closing === undefined ? start : end}' }}{% endif ${right}%}`;
  });
}

/** Takes the marks out of a rendered text and says where they were. */
export function extractMarks(
  rendered: string,
  { start, end }: GenerationMarks,
): { text: string; spans: { start: number; end: number }[] } {
  let text = '';
  let open: number | undefined;
  const spans = [];
  for (const piece of rendered.split(new RegExp(`([${start}${end}])`, 'u'))) {
    if (piece === start) {
      open = text.length;
    } else if (piece === end) {
      if (open !== undefined && open < text.length) spans.push({ start: open, end: text.length });
      open = undefined;
    } else {
      text += piece;
    }
  }
  return { text, spans };
}
