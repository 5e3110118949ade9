// Regular expressions of published tokenizers, which are known to take a time in proportion to the text.

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const space = '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const punctuation = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*';

/** GPT-4's kind: words, numbers of some digits, punctuation and white space. */
function wordPattern(digits: string): string {
  return [contractions, '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+', digits, punctuation, space].join('|');
}

/** Llama 3 and SmolLM3. */
export const threeDigitPattern = wordPattern('\\p{N}{1,3}');
/** Qwen2 and Qwen3. */
export const oneDigitPattern = wordPattern('\\p{N}');

const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]';
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]';
/** GPT-4o's kind, which splits at capitals: Tekken of Mistral. */
export const capitalPattern = [
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+`,
  `[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*`,
  '\\p{N}',
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*',
  space,
].join('|');

/** GPT-2's splitting pattern, in the Oniguruma dialect that a `Split` step translates faithfully. */
export const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** The tiny reasoner of this repository: numbers up to 999 are one token, with or without a blank. */
const tinyReasonerPattern = ' ?\\p{N}{1,3}| ?\\p{L}+| ?[^\\s\\p{L}\\p{N}]+|\\n|\\s+';

const known: ReadonlySet<string> = new Set([
  threeDigitPattern,
  oneDigitPattern,
  capitalPattern,
  gpt2Pattern,
  tinyReasonerPattern,
  '\\p{N}',
  '\\p{N}+',
  ' ',
]);

/** Of another one nothing is known: it may be harmless. */
export function isKnownPattern(pattern: string): boolean {
  return known.has(pattern);
}
