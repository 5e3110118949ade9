// Rewrites pre-tokenizer steps whose JavaScript version splits some Unicode characters differently from the Rust one.
import { gpt2Pattern } from './known-patterns.js';

/** One step of `pre_tokenizer`. */
export interface PreTokenizer {
  type: string;
  [key: string]: unknown;
}

/**
 * Returns a pre-tokenizer of `tokenizer.json` that gives the ids of the Rust library for all Unicode text.
 *
 * `@huggingface/tokenizers` 0.2 takes `Digits` for `\d` (Rust: every number character, so "½" and "Ⅷ" too) and the
 * white space of `ByteLevel` for JavaScript's `\s` (which has U+FEFF and lacks U+0085). Its `Split` is right in both.
 */
export function withUnicodeParity(step: PreTokenizer): PreTokenizer {
  if (step.type === 'Digits') return split(step.individual_digits === true ? '\\p{N}' : '\\p{N}+');
  // With a prefix space the pattern must see the text after the space was put in, so the step stays as it is.
  if (step.type === 'ByteLevel' && step.use_regex !== false && step.add_prefix_space === false) {
    return { type: 'Sequence', pretokenizers: [split(gpt2Pattern), { ...step, use_regex: false }] };
  }
  if (step.type === 'Sequence' && Array.isArray(step.pretokenizers)) {
    return {
      ...step,
      pretokenizers: step.pretokenizers.map((inner: unknown) =>
        isPreTokenizer(inner) ? withUnicodeParity(inner) : inner,
      ),
    };
  }
  return step;
}

function split(pattern: string): PreTokenizer {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}

function isPreTokenizer(value: unknown): value is PreTokenizer {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
