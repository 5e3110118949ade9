// Finds JSON that is nested so deeply that walking through it would exhaust the stack.

/** Files of models have about ten levels. */
export const deepestJson = 64;

/** @param json - text that JSON.parse accepts (it needs no stack itself). */
export function isTooDeep(json: string): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case 0x22:
        // A bracket in a text is none.
        i = endOfText(json, i + 1);
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > deepestJson) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
    }
  }
  return false;
}

/** Index of the closing quote of the text that `start` lies in. */
function endOfText(json: string, start: number): number {
  let end = json.indexOf('"', start);
  while (end >= 0 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end < 0 ? json.length : end;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}
