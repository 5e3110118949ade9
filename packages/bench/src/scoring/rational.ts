// Exact numbers out of final answers, so that 1,000 and 1000, or 0.25 and 1/4, are the same.

/** In lowest terms, `denominator` > 0. */
export interface Rational {
  numerator: bigint;
  denominator: bigint;
}

/** No real answer is longer; a hostile one would take long to multiply. */
const maximumLength = 200;

const digits = String.raw`\d+|\d{1,3}(?:,\d{3})+`;
const decimalPattern = new RegExp(String.raw`^([+-]?)(${digits})?(?:\.(\d*))?$`);
const latexFraction = /^([+-]?)\\frac\{([^{}]*)\}\{([^{}]*)\}$/;
const plainFraction = /^([^/]+)\/([^/]+)$/;

/**
 * Reads an integer or decimal with or without thousands separators, or a quotient of two of them; currency signs, a
 * percent sign and a final period are ignored.
 *
 * @returns undefined if the text is anything else.
 */
export function parseRational(answer: string): Rational | undefined {
  if (answer.length > maximumLength) return undefined;
  const text = answer
    .replaceAll(/\\[,!; ]|\{,\}|\\?[$%]|[\s€£]/g, (match) => (match === '{,}' ? ',' : ''))
    .replaceAll(/\\[dt]frac/g, '\\frac')
    .replace(/(?<=\d)\.$/, '');
  const fraction = latexFraction.exec(text) ?? withEmptySign(plainFraction.exec(text));
  if (fraction === null) return parseDecimal(text);
  const [, sign, above = '', below = ''] = fraction;
  const numerator = parseDecimal(above);
  const denominator = parseDecimal(below);
  if (numerator === undefined || denominator === undefined || denominator.numerator === 0n) return undefined;
  const top = numerator.numerator * denominator.denominator;
  return reduce(sign === '-' ? -top : top, numerator.denominator * denominator.numerator);
}

export function equalRationals(a: Rational, b: Rational): boolean {
  return a.numerator === b.numerator && a.denominator === b.denominator;
}

function withEmptySign(match: RegExpExecArray | null): readonly string[] | null {
  return match && ['', '', match[1] ?? '', match[2] ?? ''];
}

function parseDecimal(text: string): Rational | undefined {
  const match = decimalPattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', decimals = ''] = match;
  if (whole === '' && decimals === '') return undefined;
  const magnitude = BigInt(whole.replaceAll(',', '') + decimals);
  return reduce(sign === '-' ? -magnitude : magnitude, 10n ** BigInt(decimals.length));
}

function reduce(numerator: bigint, denominator: bigint): Rational {
  let [a, b] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  const divisor = denominator < 0n ? -a : a;
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}
