// Finds the final answer of a solution: the content of its box.

/**
 * Content of the first (or last) `\boxed{...}`, with its inner braces; `\boxed x` reads up to the next `$`. Without any
 * `\boxed`, `\fbox` counts.
 *
 * @returns undefined if there is no box, or if that box is never closed.
 */
export function boxedAnswer(text: string, which: 'first' | 'last' = 'first'): string | undefined {
  for (const command of ['\\boxed', '\\fbox']) {
    const places = boxPlaces(text, command);
    const place = which === 'first' ? places[0] : places.at(-1);
    if (place !== undefined) return contentAt(text, place);
  }
  return undefined;
}

/** Indices right after each `command` that is followed by a brace or a blank. */
function boxPlaces(text: string, command: string): number[] {
  const places: number[] = [];
  for (let i = text.indexOf(command); i >= 0; i = text.indexOf(command, i + 1)) {
    const after = i + command.length;
    if (text[after] === '{' || text[after] === ' ') places.push(after);
  }
  return places;
}

function contentAt(text: string, place: number): string | undefined {
  if (text[place] === ' ') return text.slice(place + 1).split('$', 1)[0];
  let depth = 0;
  for (let i = place; i < text.length; i++) {
    if (text[i] === '{') depth++;
    if (text[i] === '}') depth--;
    if (depth === 0) return text.slice(place + 1, i);
  }
  return undefined;
}
