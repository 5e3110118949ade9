// Damaged tokenizers: every kind of component with wrong contents, and patterns that take exponential time.
import type { Random } from '@memgen/common';
import { smallTokenizerJson } from '../text/__fixtures__/small-tokenizer.js';
import { mutateJson } from './hostile-json.test-helper.js';
import { smallTokenizerConfigJson } from './small-model.test-helper.js';

/** Patterns that hang a backtracking matcher on the texts that are encoded, or cannot be read. */
const patterns = [
  '(a+)+$',
  '(a|aa)+$',
  '(\\w*)*\\d',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(?:a?){40}a{40}',
  '(.*?,){25}x',
  'a*a*a*a*a*a*a*a*b',
  '(?=(a+)+b)',
  '\\p{L}+',
  '\\p{Nope}',
  '[[:alpha:]]+',
  '\\G.',
  '[a-z&&[^b]]',
  '(',
  '',
];

const regex = (random: Random) => ({ Regex: random.pick(patterns) });
const behaviors = ['Isolated', 'Removed', 'MergedWithPrevious', 'Nope'];

function preTokenizer(random: Random): unknown {
  return random.pick<() => unknown>([
    () => ({ type: 'Split', pattern: regex(random), behavior: random.pick(behaviors), invert: random.float() < 0.3 }),
    () => ({ type: 'Sequence', pretokenizers: [preTokenizer(random), { type: 'ByteLevel', use_regex: false }] }),
    () => ({ type: 'ByteLevel', add_prefix_space: true, use_regex: true }),
    () => ({ type: 'Metaspace', replacement: random.pick(['\u2581', '', 'xx', null]), prepend_scheme: 'always' }),
    () => ({
      type: random.pick(['Whitespace', 'WhitespaceSplit', 'BertPreTokenizer', 'Punctuation', 'Digits', 'Nope']),
    }),
    () => ({ type: 'Replace', pattern: regex(random), content: 'x' }),
  ])();
}

function normalizer(random: Random): unknown {
  return random.pick<() => unknown>([
    () => ({ type: 'Replace', pattern: regex(random), content: random.pick(['', 'x', null, '$&$&$&']) }),
    () => ({ type: random.pick(['NFC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'BertNormalizer', 'Nope']) }),
    () => ({ type: 'Prepend', prepend: random.pick(['\u2581', null, 7]) }),
    () => ({ type: 'Sequence', normalizers: random.pick([null, [], [normalizer(random)], [null]]) }),
    () => ({ type: 'Precompiled', precompiled_charsmap: random.pick(['', 'AAAA', null]) }),
  ])();
}

function decoder(random: Random): unknown {
  return random.pick<() => unknown>([
    () => ({ type: 'Replace', pattern: random.pick([regex(random), { String: 'x' }, null]), content: 'y' }),
    () => ({ type: random.pick(['ByteFallback', 'Fuse', 'BPEDecoder', 'WordPiece', 'Metaspace', 'CTC', 'Nope']) }),
    () => ({ type: 'Strip', content: random.pick([' ', null]), start: random.pick([1, -1, 1e9]), stop: 0 }),
    () => ({ type: 'Sequence', decoders: random.pick([null, [], [decoder(random)], [1]]) }),
  ])();
}

function postProcessor(random: Random): unknown {
  return random.pick<() => unknown>([
    () => ({ type: 'TemplateProcessing', single: random.pick([null, [], [{ Sequence: null }], [{ Nope: {} }]]) }),
    () => ({ type: 'TemplateProcessing', single: [{ SpecialToken: { id: 'x' } }], pair: [], special_tokens: {} }),
    () => ({ type: random.pick(['ByteLevel', 'RobertaProcessing', 'BertProcessing', 'Nope']) }),
    () => ({ type: 'Sequence', processors: random.pick([null, [], [postProcessor(random)]]) }),
  ])();
}

function model(random: Random): unknown {
  const vocab = { a: 0, b: 1, ab: 2, '[UNK]': 3, '<|im_end|>': 4 };
  const pieces = Object.keys(vocab).map((piece) => [piece, -1]);
  return random.pick<() => unknown>([
    () => ({ type: 'WordPiece', vocab, unk_token: random.pick(['[UNK]', 'nope', null]), max_input_chars_per_word: -1 }),
    () => ({ type: 'Unigram', vocab: pieces, unk_id: random.pick([0, 99, -1, null]) }),
    () => ({ type: 'Unigram', vocab: [['', NaN], ...pieces], unk_id: 0 }),
    () => ({ type: 'BPE', vocab, merges: random.pick([['a b'], [['a', 'b']], ['a b c'], [''], [['', '']]]) }),
    () => ({ type: 'BPE', vocab: { ...vocab, ab: 4_194_304 }, merges: ['a b'], byte_fallback: true }),
    () => ({ type: 'WordLevel', vocab }),
  ])();
}

const parts = { pre_tokenizer: preTokenizer, normalizer, decoder, post_processor: postProcessor, model } as const;

/** Text of a tokenizer.json. */
export function mutateTokenizer(random: Random): string {
  const json = smallTokenizerJson();
  if (random.float() < 0.35) return mutateJson(random, json);
  for (let changes = 1 + random.int(2); changes > 0; changes--) {
    const part = random.pick(Object.keys(parts) as (keyof typeof parts)[]);
    json[part] = parts[part](random);
  }
  return random.float() < 0.2 ? mutateJson(random, json) : JSON.stringify(json);
}

/** The files of a tokenizer, one of them damaged. */
export function hostileTokenizer(random: Random): Record<string, string> {
  const intact = {
    'tokenizer.json': JSON.stringify(smallTokenizerJson()),
    'tokenizer_config.json': JSON.stringify(smallTokenizerConfigJson),
  };
  if (random.float() < 0.8) return { ...intact, 'tokenizer.json': mutateTokenizer(random) };
  const name = random.pick(['tokenizer_config.json', 'generation_config.json', 'special_tokens_map.json']);
  return { ...intact, [name]: mutateJson(random, smallTokenizerConfigJson, ['-1', '4194305', '"267"']) };
}
