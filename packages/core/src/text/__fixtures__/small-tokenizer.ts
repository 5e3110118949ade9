// A byte-level tokenizer of 256 bytes, a few merges and the ChatML tokens, made here for tests.
import { Tokenizer, type TokenizerExtras } from '../tokenizer.js';

export const merges: [string, string][] = [
  ['h', 'e'],
  ['l', 'l'],
  ['he', 'll'],
  ['hell', 'o'],
  ['Ġ', 'Â'],
  ['Ġ', 'ï'],
  ['Ċ', 'Ċ'],
  ['.', 'Ċ'],
  ['1', '2'],
];

const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
const printable = (code: number): boolean =>
  (code >= 0x21 && code <= 0x7e) || (code >= 0xa1 && code <= 0xac) || (code >= 0xae && code <= 0xff);
const alphabet = Array.from({ length: 0x144 }, (_, code) => code)
  .filter((code) => printable(code) || code >= 0x100)
  .map((code) => String.fromCharCode(code));

/** Content of tokenizer.json; ids 0-255 bytes, then merges, then `<|endoftext|>`, `<|im_start|>`, `<|im_end|>`. */
export function smallTokenizerJson(): Record<string, unknown> {
  const tokens = [...alphabet, ...merges.map(([left, right]) => left + right)];
  return {
    version: '1.0',
    added_tokens: ['<|endoftext|>', '<|im_start|>', '<|im_end|>'].map((content, i) => ({
      ...special,
      id: tokens.length + i,
      content,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
}

export function smallTokenizer(
  changes: { json?: Record<string, unknown>; config?: Record<string, unknown>; extras?: TokenizerExtras } = {},
): Tokenizer {
  const config = { eos_token: '<|im_end|>', pad_token: '<|endoftext|>', ...changes.config };
  return Tokenizer.fromJson({ ...smallTokenizerJson(), ...changes.json }, config, changes.extras);
}
