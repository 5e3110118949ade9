// Brings the final answer of a mathematics problem into one spelling, by the steps usual for the MATH benchmark.

/** Each step maps a spelling to another that means the same; their order matters. undefined: the reference fails there. */
const steps: readonly ((answer: string) => string | undefined)[] = [
  // Layout.
  (answer) => answer.replaceAll('\n', '').replaceAll('\\!', '').replaceAll('\\\\', '\\'),
  (answer) => answer.replaceAll('tfrac', 'frac').replaceAll('dfrac', 'frac'),
  (answer) => answer.replaceAll('\\left', '').replaceAll('\\right', ''),
  // Units: degrees, dollars, `5\text{ cm}`, percent.
  (answer) => answer.replaceAll('^{\\circ}', '').replaceAll('^\\circ', '').replaceAll('\\$', ''),
  withoutUnits,
  (answer) => answer.replaceAll('\\%', ''),
  // A decimal point without a zero before it.
  (answer) => answer.replaceAll(' .', ' 0.').replaceAll('{.', '{0.').replace(/^\./, '0.'),
  withoutShortLeftSide,
  withBracedRoots,
  (answer) => answer.replaceAll(' ', ''),
  withBracedFractions,
  (answer) => (answer === '0.5' ? '\\frac{1}{2}' : answer),
  // A quotient of integers.
  (answer) => answer.replace(/^(0|-?[1-9]\d*)\/(0|-?[1-9]\d*)$/, '\\frac{$1}{$2}'),
];

/** `x=5` becomes `5`; a longer left side is left alone. */
function withoutShortLeftSide(answer: string): string {
  const [left = '', right, ...others] = answer.split('=');
  return right !== undefined && others.length === 0 && left.length <= 2 ? right : answer;
}

/** Drops a unit at the right, `5\text{ cm}`; the reference fails where there are two. */
function withoutUnits(answer: string): string | undefined {
  const parts = answer.split('\\text{ ');
  return parts.length > 2 ? undefined : parts[0];
}

/** `\sqrt3` becomes `\sqrt{3}`; the reference fails at a root of nothing. */
function withBracedRoots(answer: string): string | undefined {
  const [start = '', ...roots] = answer.split('\\sqrt');
  if (roots.includes('')) return undefined;
  return start + roots.map((root) => `\\sqrt${root.startsWith('{') ? root : braced(root)}`).join('');
}

/** `\frac12` and `\frac1{72}` become `\frac{1}{2}` and `\frac{1}{72}`, unless one of the fractions is cut short. */
function withBracedFractions(answer: string): string | undefined {
  const [start = '', ...fractions] = answer.split('\\frac');
  let result = start;
  for (const fraction of fractions) {
    if (fraction === '') return undefined;
    const [above = '', below, ...rest] = Array.from(fraction);
    if (above === '{') result += `\\frac${fraction}`;
    else if (below === undefined) return answer;
    else result += `\\frac{${above}}${below === '{' ? below : `{${below}}`}${rest.join('')}`;
  }
  return result;
}

/** The first character in braces. */
function braced(text: string): string {
  const [first = '', ...rest] = Array.from(text);
  return `{${first}}${rest.join('')}`;
}

/** The normal form; undefined for an answer that the reference's steps fail at. */
function tryNormalize(answer: string): string | undefined {
  return steps.reduce<string | undefined>(
    (normalized, step) => (normalized === undefined ? undefined : step(normalized)),
    answer,
  );
}

/** The normal form of an answer; an answer that cannot be normalised stays as it is. */
export function normalizeMathAnswer(answer: string): string {
  return tryNormalize(answer) ?? answer;
}

/**
 * Whether two answers have the same normal form; if either has none, whether they are the same text. Thousands
 * separators stay: "1,000" is not "1000".
 */
export function isEquivalentMathAnswer(left: string, right: string): boolean {
  const [a, b] = [tryNormalize(left), tryNormalize(right)];
  return a === undefined || b === undefined ? left === right : a === b;
}
