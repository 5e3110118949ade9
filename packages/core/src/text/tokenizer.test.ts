import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smallTokenizer, smallTokenizerJson } from './__fixtures__/small-tokenizer.js';
import { Tokenizer } from './tokenizer.js';

describe('Tokenizer', () => {
  it('merges, keeps special tokens whole and decodes back', () => {
    const tokenizer = smallTokenizer();
    const ids = tokenizer.encode('hello<|im_end|>\n');
    expect(ids.map((id) => tokenizer.tokenOf(id))).toEqual(['hello', '<|im_end|>', 'Ċ']);
    expect(tokenizer.decode(ids)).toBe('hello<|im_end|>\n');
    expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('hello\n');
    expect(tokenizer.encode('')).toEqual([]);
    expect(tokenizer.decode([])).toBe('');
  });

  it('decodes what it encodes, whatever the text', () => {
    const tokenizer = smallTokenizer();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it('knows the special tokens and pads with the end token if there is no other', () => {
    const tokenizer = smallTokenizer();
    expect(tokenizer.vocabularySize).toBe(268);
    expect([tokenizer.padId, tokenizer.eosId]).toEqual([265, 267]);
    expect(tokenizer.eosIds).toEqual([267]);
    expect(tokenizer.isSpecial(266)).toBe(true);
    expect(tokenizer.idOf('<|im_start|>')).toBe(266);
    expect(tokenizer.bosId).toBeUndefined();
    expect(smallTokenizer({ config: { pad_token: null } }).padId).toBe(267);
  });

  it('takes further end tokens from the generation configuration', () => {
    const generationConfig = { eos_token_id: [265, 267, 9999] };
    expect(smallTokenizer({ extras: { generationConfig } }).eosIds).toEqual([267, 265]);
  });

  it('leaves out ids that have no token', () => {
    const tokenizer = smallTokenizer();
    expect(tokenizer.decode([...tokenizer.encode('he'), 5000, ...tokenizer.encode('llo')])).toBe('hello');
  });

  it('treats every number character as a digit and white space as Unicode does', () => {
    const tokenizer = smallTokenizer();
    const tokens = (text: string) => tokenizer.encode(text).map((id) => tokenizer.tokenOf(id));
    expect(tokens('a ½')).toEqual(['a', 'Ġ', 'Â', '½']);
    expect(tokens('a °')).toEqual(['a', 'ĠÂ', '°']);
    expect(tokens('12')).toEqual(['1', '2']);
    // U+FEFF is no white space, so the blank before it belongs to the same piece.
    expect(tokens('a \ufeff')).toEqual(['a', 'Ġï', '»', '¿']);
  });

  it('completes the added tokens from the configuration', () => {
    const tokenizer = smallTokenizer({
      config: {
        added_tokens_decoder: {
          300: { content: '<tool>', special: false },
          265: { content: '<|endoftext|>', special: false },
        },
        additional_special_tokens: ['hello'],
      },
    });
    expect(tokenizer.encode('<tool>hello')).toEqual([300, tokenizer.idOf('hello')]);
    expect(tokenizer.isSpecial(300)).toBe(false);
    expect(tokenizer.isSpecial(265)).toBe(false);
    expect(tokenizer.isSpecial(tokenizer.idOf('hello')!)).toBe(true);
    expect(tokenizer.vocabularySize).toBe(301);
  });

  it('cleans up spaces only if the configuration asks for it', () => {
    const ids = smallTokenizer().encode("it 's , so");
    expect(smallTokenizer().decode(ids)).toBe("it 's , so");
    expect(smallTokenizer({ config: { clean_up_tokenization_spaces: true } }).decode(ids)).toBe("it's, so");
  });

  it('uses the decoder of the library where tokens are not bytes', () => {
    const json = {
      ...smallTokenizerJson(),
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
      decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
      model: { type: 'BPE', vocab: { '▁': 0, a: 1, b: 2, '▁a': 3 }, merges: ['▁ a'] },
      added_tokens: [{ id: 4, content: '</s>', special: true }],
    };
    const tokenizer = Tokenizer.fromJson(json, { eos_token: { content: '</s>' } });
    expect(tokenizer.encode('a ab</s>')).toEqual([3, 3, 2, 4]);
    expect(tokenizer.decode([3, 3, 2, 77])).toBe('a ab');
    expect(tokenizer.isByteLevel).toBe(false);
  });

  const broken: [string, () => unknown, string, RegExp][] = [
    ['no model', () => Tokenizer.fromJson({}, {}), 'tokenizer-json', /tokenizer: model: /],
    ['a list', () => Tokenizer.fromJson([], {}), 'tokenizer-json', /expected object/],
    [
      'a lying id',
      () => smallTokenizer({ json: { model: { type: 'BPE', vocab: { a: 4294967294 }, merges: [] } } }),
      'tokenizer-json',
      /model.vocab/,
    ],
    [
      'no merges',
      () => smallTokenizer({ json: { model: { type: 'BPE', vocab: { a: 1 } } } }),
      'tokenizer-json',
      /needs its merges/,
    ],
    [
      'an unknown model',
      () => smallTokenizer({ json: { model: { type: 'WordLevel', vocab: {} } } }),
      'tokenizer-json',
      /model.type/,
    ],
    [
      'an unknown step',
      () => smallTokenizer({ json: { pre_tokenizer: { type: 'Nonsense' } } }),
      'tokenizer-unsupported',
      /Nonsense/,
    ],
    [
      'a broken pattern',
      () =>
        smallTokenizer({ json: { pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } } }),
      'tokenizer-unsupported',
      /regular expression/i,
    ],
    ['no end token', () => smallTokenizer({ config: { eos_token: null } }), 'special-token', /no eos_token/],
    ['an unknown pad token', () => smallTokenizer({ config: { pad_token: '[PAD]' } }), 'special-token', /"\[PAD\]"/],
    [
      'bad end tokens',
      () => smallTokenizer({ extras: { generationConfig: { eos_token_id: 'x' } } }),
      'special-token',
      /generation_config/,
    ],
  ];
  it.each(broken)('refuses %s', (_, load, code, message) => {
    expect(load).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('Tokenizer.fromFolder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memgen-tokenizer-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, content: unknown) =>
    writeFile(
      join(folder, name),
      typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
    );

  it('reads a folder with all files', async () => {
    await write('tokenizer.json', smallTokenizerJson());
    await write('tokenizer_config.json', { chat_template: 'old', pad_token: null });
    await write('special_tokens_map.json', { eos_token: { content: '<|im_end|>' }, bos_token: '<|im_start|>' });
    await write('generation_config.json', { eos_token_id: 265 });
    await write('chat_template.jinja', 'new');
    const tokenizer = await Tokenizer.fromFolder(folder);
    expect(tokenizer.eosIds).toEqual([267, 265]);
    expect(tokenizer.padId).toBe(267);
    expect(tokenizer.bosId).toBe(266);
    expect(tokenizer.chatTemplate).toBe('new');
    expect(tokenizer.specialTokens).toEqual({ eos_token: '<|im_end|>', bos_token: '<|im_start|>' });
  });

  it('reads a gzipped tokenizer and the default of several templates', async () => {
    await write('tokenizer.json.gz', gzipSync(JSON.stringify(smallTokenizerJson())));
    const templates = [
      { name: 'tool_use', template: 'a' },
      { name: 'default', template: 'b' },
    ];
    await write('tokenizer_config.json', { eos_token: '<|im_end|>', chat_template: templates });
    expect((await Tokenizer.fromFolder(folder)).chatTemplate).toBe('b');
  });

  it('says which file is missing or broken', async () => {
    await expect(Tokenizer.fromFolder(folder)).rejects.toMatchObject({ code: 'tokenizer-missing', where: folder });
    await write('tokenizer.json.gz', gzipSync('{}').subarray(0, 12));
    await expect(Tokenizer.fromFolder(folder)).rejects.toMatchObject({
      code: 'tokenizer-json',
      where: join(folder, 'tokenizer.json.gz'),
    });
    await write('tokenizer.json', '{"model": ');
    await expect(Tokenizer.fromFolder(folder)).rejects.toMatchObject({
      code: 'tokenizer-json',
      where: join(folder, 'tokenizer.json'),
    });
    await write('tokenizer.json', smallTokenizerJson());
    await expect(Tokenizer.fromFolder(folder)).rejects.toMatchObject({ code: 'special-token', where: folder });
  });
});
