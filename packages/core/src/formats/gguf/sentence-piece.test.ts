// SentencePiece vocabularies in GGUF files: the ids and texts that the Python library gives for the same vocabulary.
import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../text/index.js';
import { ggufToTokenizer, type GgufValue } from './index.js';

const special = ['<unk>', '<s>', '</s>', '<0x0A>', '<0xE2>', '<0x82>', '<0xAC>'];
const pieces = ['ab', '▁a', 'bc', '▁ab', 'abc', '▁▁', '▁', 'a', 'b', 'c', 'é'];
const tokens = [...special, ...pieces, '<tool>', '[gone]'];
const types = [2, 3, 3, 6, 6, 6, 6, ...pieces.map(() => 1), 4, 5];
/** Two are equal, as where a file gives pieces no order. */
const scores = [...special.map(() => 0), -1, -2, -3, -4, -4, -5, -6, -7, -8, -9, -10, 0, 0];

function filesOf(changes: Record<string, GgufValue | undefined> = {}) {
  const entries: Record<string, GgufValue | undefined> = {
    'general.architecture': 'llama',
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.pre': 'default',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    'tokenizer.ggml.scores': scores,
    ...changes,
  };
  const pairs = Object.entries(entries).filter((pair): pair is [string, GgufValue] => pair[1] !== undefined);
  return ggufToTokenizer({ metadata: new Map(pairs), path: 'x.gguf' });
}

function tokenizerOf(changes?: Record<string, GgufValue | undefined>): Tokenizer {
  const { tokenizerJson, tokenizerConfig } = filesOf(changes);
  return Tokenizer.fromJson(tokenizerJson, tokenizerConfig);
}

describe('a SentencePiece vocabulary', () => {
  it('becomes merges by falling score, longer left parts first where scores are equal', () => {
    const { model } = filesOf().tokenizerJson as { model: { merges: [string, string][] } };
    expect(model.merges.map((pair) => pair.join(' '))).toEqual([
      'a b',
      '▁ a',
      'b c',
      '▁a b',
      'ab c',
      '▁ ab',
      'a bc',
      '▁ ▁',
    ]);
  });

  it.each<[text: string, ids: number[], decoded: string]>([
    ['abc  abc', [13, 11, 12, 11], 'abc  abc'],
    ['cab\n€', [13, 16, 7, 3, 4, 5, 6], 'cab\n€'],
    ['é日本c', [13, 17, 0, 16], 'é<unk>c'],
    ['<s>ab</s>a<tool> b', [1, 10, 2, 8, 18, 12, 15], '<s> ab</s> a<tool>  b'],
    ['', [], ''],
  ])('reads %j with a space before each text, and pieces that are missing as bytes', (text, ids, decoded) => {
    const tokenizer = tokenizerOf();
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  it('reads texts as they are where the file says so', () => {
    const tokenizer = tokenizerOf({ 'tokenizer.ggml.add_space_prefix': false });
    expect(tokenizer.encode('<s>ab</s>a<tool> b')).toEqual([1, 7, 2, 14, 18, 13, 15]);
    expect(tokenizer.decode([1, 7, 2, 14, 18, 13, 15])).toBe('<s>ab</s>a<tool> b');
  });

  it('adds the beginning token, and the end token on demand', () => {
    const around = (changes?: Record<string, GgufValue>) =>
      tokenizerOf(changes).encode('b', { addSpecialTokens: true });
    expect(around()).toEqual([1, 13, 15]);
    expect(around({ 'tokenizer.ggml.add_bos_token': false, 'tokenizer.ggml.add_eos_token': true })).toEqual([
      13, 15, 2,
    ]);
  });

  it('knows its special tokens, also where the file does not name them', () => {
    expect(tokenizerOf()).toMatchObject({ bosId: 1, eosId: 2, padId: 2, isByteLevel: false });
    const named = { 'tokenizer.ggml.eos_token_id': 1, 'tokenizer.ggml.padding_token_id': 0 };
    expect(tokenizerOf(named)).toMatchObject({ eosId: 1, padId: 0 });
    const tokenizer = tokenizerOf();
    expect([0, 1, 2, 3, 7, 18].map((id) => tokenizer.isSpecial(id))).toEqual([true, true, true, false, false, false]);
    expect(tokenizer.idOf('[gone]')).toBeUndefined();
  });

  it('takes the merges that a file brings', () => {
    const tokenizer = tokenizerOf({ 'tokenizer.ggml.scores': undefined, 'tokenizer.ggml.merges': ['b c'] });
    expect(tokenizer.encode('abc')).toEqual([13, 14, 9]);
  });

  it('counts characters, not UTF-16 code units', () => {
    const faces = ['😀', '😁', '😀😁', '😀😁😀', '😁😀'];
    const { model } = filesOf({
      'tokenizer.ggml.tokens': [...special, ...faces],
      'tokenizer.ggml.token_type': [2, 3, 3, 6, 6, 6, 6, 1, 1, 1, 1, 1],
      'tokenizer.ggml.scores': [...special, ...faces].map(() => 0),
    }).tokenizerJson as { model: { merges: [string, string][] } };
    expect(model.merges).toEqual([
      ['😀😁', '😀'],
      ['😀', '😁😀'],
      ['😀', '😁'],
      ['😁', '😀'],
    ]);
  });

  it.each<[Record<string, GgufValue | undefined>, RegExp]>([
    [{ 'tokenizer.ggml.scores': undefined }, /scores does not fit[\s\S]*none[\s\S]*20 numbers/],
    [{ 'tokenizer.ggml.scores': [1, 2] }, /2 values[\s\S]*20 numbers/],
    [{ 'tokenizer.ggml.scores': tokens.map(() => NaN) }, /20 numbers/],
    [{ 'tokenizer.ggml.scores': tokens.map(() => 'x') }, /20 numbers/],
    [{ 'tokenizer.ggml.tokens': tokens.with(8, 'a'.repeat(300)) }, /longer than any[\s\S]*300 characters/],
    [{ 'tokenizer.ggml.tokens': tokens.with(8, 'ab') }, /given twice/],
    [{ 'tokenizer.ggml.token_type': undefined }, /token_type does not fit/],
  ])('refuses %j', (changes, message) => {
    expect(() => tokenizerOf(changes)).toThrow(message);
  });
});
