// Brings the final answer of a mathematics problem into one spelling, by the steps usual for the MATH benchmark.

/** Each step maps a spelling to another that means the same; their order matters. */
const steps: readonly ((answer: string) => string)[] = [
  // Layout.
  (answer) => answer.replaceAll('\n', '').replaceAll('\\!', '').replaceAll('\\\\', '\\'),
  (answer) => answer.replaceAll('tfrac', 'frac').replaceAll('dfrac', 'frac'),
  (answer) => answer.replaceAll('\\left', '').replaceAll('\\right', ''),
  // Units: degrees, dollars, `5\text{ cm}`, percent.
  (answer) => answer.replaceAll('^{\\circ}', '').replaceAll('^\\circ', '').replaceAll('\\$', ''),
  (answer) => answer.split('\\text{ ', 1)[0] ?? '',
  (answer) => answer.replaceAll('\\%', ''),
  // A decimal point without a zero before it.
  (answer) => answer.replaceAll(' .', ' 0.').replaceAll('{.', '{0.').replace(/^\./, '0.'),
  withoutShortLeftSide,
  (answer) => answer.replaceAll(/\\sqrt([^{])/g, '\\sqrt{$1}'),
  (answer) => answer.replaceAll(' ', ''),
  // `\frac12` and `\frac1{72}`.
  (answer) =>
    answer.replaceAll(/\\frac([^{])(?:(\{)|(.))/g, (_, above: string, brace?: string, below?: string) =>
      brace === undefined ? `\\frac{${above}}{${below ?? ''}}` : `\\frac{${above}}{`,
    ),
  (answer) => (answer === '0.5' ? '\\frac{1}{2}' : answer),
  // A quotient of integers.
  (answer) => answer.replace(/^(-?(?:0|[1-9]\d*))\/(-?(?:0|[1-9]\d*))$/, '\\frac{$1}{$2}'),
];

/** `x=5` becomes `5`; a longer left side is left alone. */
function withoutShortLeftSide(answer: string): string {
  const [left = '', right, ...others] = answer.split('=');
  return right !== undefined && others.length === 0 && left.length <= 2 ? right : answer;
}

/** Two answers count as equal if their normal forms are. Thousands separators stay: "1,000" is not "1000". */
export function normalizeMathAnswer(answer: string): string {
  return steps.reduce((normalized, step) => step(normalized), answer);
}
