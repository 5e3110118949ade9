import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { isSharedMissing, sharedPath } from '../shared-files.test-helper.js';
import { ggufToConfig, ggufToTokenizer, openGguf, type GgufValue } from './index.js';

const tinyLlama = join(import.meta.dirname, '__fixtures__/tiny-llama.gguf');

/** Metadata of a byte-level tokenizer of a few tokens. */
function metadata(changes: Record<string, GgufValue | undefined> = {}): Map<string, GgufValue> {
  const entries: Record<string, GgufValue | undefined> = {
    'general.architecture': 'llama',
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'llama-bpe',
    'tokenizer.ggml.tokens': ['<s>', '</s>', 'a', 'b', 'ab', '1', '2', '12'],
    'tokenizer.ggml.token_type': [3, 3, 1, 1, 1, 1, 1, 1],
    'tokenizer.ggml.merges': ['a b'],
    'tokenizer.ggml.bos_token_id': 0,
    'tokenizer.ggml.eos_token_id': 1,
    ...changes,
  };
  const pairs = Object.entries(entries).filter((pair): pair is [string, GgufValue] => pair[1] !== undefined);
  return new Map(pairs);
}

function tokenizerOf(changes?: Record<string, GgufValue | undefined>): Tokenizer {
  const { tokenizerJson, tokenizerConfig } = ggufToTokenizer({ metadata: metadata(changes), path: 'x.gguf' });
  return new Tokenizer(tokenizerJson, tokenizerConfig);
}

describe('ggufToTokenizer', () => {
  it('makes the files of a SmolLM2 tokenizer', async () => {
    const file = await openGguf(tinyLlama);
    const { tokenizerJson, tokenizerConfig } = ggufToTokenizer(file);
    await file.close();
    const tokenizer = new Tokenizer(tokenizerJson, tokenizerConfig);
    expect(tokenizer.encode('ab 12<|im_end|>c<tool>').ids).toEqual([6, 7, 8, 9, 2, 5, 10]);
    expect(tokenizer.decode([6, 7, 8, 9, 2, 10], { skip_special_tokens: true })).toBe('ab 12<tool>');
    expect(tokenizer.token_to_id('[PAD11]')).toBeUndefined();
    expect(tokenizerConfig).toMatchObject({
      bos_token: '<|im_start|>',
      eos_token: '<|im_end|>',
      pad_token: '<|im_end|>',
      unk_token: '<|endoftext|>',
      model_max_length: 128,
      chat_template: '{{ messages[0].content }}',
    });
  });

  it('keeps whole words of Llama 3 and adds its beginning token', () => {
    expect(tokenizerOf().encode('ab12').ids).toEqual([0, 4, 7]);
    expect(tokenizerOf({ 'tokenizer.ggml.add_bos_token': false }).encode('ab12').ids).toEqual([4, 7]);
    expect(tokenizerOf({ 'tokenizer.ggml.add_eos_token': true }).encode('ab').ids).toEqual([0, 4, 1]);
  });

  it('splits digits for Qwen2 and adds nothing', () => {
    expect(tokenizerOf({ 'tokenizer.ggml.pre': 'qwen2' }).encode('ab12').ids).toEqual([4, 5, 6]);
  });

  it('splits at capitals for Tekken', () => {
    const tokens = (pre: string) => tokenizerOf({ 'tokenizer.ggml.pre': pre }).encode('ab').ids;
    expect(tokens('tekken')).toEqual([0, 4]);
    const { tokenizerJson } = ggufToTokenizer({
      metadata: metadata({ 'tokenizer.ggml.pre': 'tekken' }),
      path: 'x',
    });
    const { pre_tokenizer: steps } = tokenizerJson as {
      pre_tokenizer: { pretokenizers: { pattern: { Regex: string } }[] };
    };
    const pattern = new RegExp(steps.pretokenizers[0]!.pattern.Regex, 'gu');
    expect('helloWorld HTTPServer 12/'.match(pattern)).toEqual(['hello', 'World', ' HTTPServer', ' ', '1', '2', '/']);
  });

  it.each<[Record<string, GgufValue | undefined>, RegExp]>([
    [{ 'tokenizer.ggml.model': 't5' }, /cannot be read[\s\S]*t5[\s\S]*gpt2[\s\S]*llama/],
    [{ 'tokenizer.ggml.pre': undefined }, /unknown way/],
    [{ 'tokenizer.ggml.pre': 'gpt-4o' }, /gpt-4o[\s\S]*smollm/],
    [{ 'tokenizer.ggml.tokens': undefined }, /tokens is missing/],
    [{ 'tokenizer.ggml.tokens': [1, 2] }, /no list of texts/],
    [{ 'tokenizer.ggml.token_type': [3] }, /1 types[\s\S]*8 types/],
    [{ 'tokenizer.ggml.tokens': ['a', 'a', 'a', 'b', 'ab', '1', '2', '12'] }, /given twice/],
    [{ 'tokenizer.ggml.merges': ['a b c'] }, /no pair/],
    [{ 'tokenizer.ggml.merges': ['ab'] }, /no pair/],
  ])('refuses %j', (changes, message) => {
    expect(() => tokenizerOf(changes)).toThrow(message);
  });
});

describe.each(['tiny-qwen', 'tiny-llama3', 'tiny-gpt2'])('the recipe for %s', (name) => {
  const golden = `golden/g_tokenizers/${name}`;
  const pre = { 'tiny-qwen': 'qwen2', 'tiny-llama3': 'llama-bpe', 'tiny-gpt2': 'smollm' }[name];

  it.skipIf(isSharedMissing(golden))('is that of the reference (needs the shared reference data)', async () => {
    const expected = JSON.parse(await readFile(sharedPath(golden, 'tokenizer.json'), 'utf8'));
    const changes = { 'tokenizer.ggml.pre': pre, 'tokenizer.ggml.add_bos_token': false };
    const { tokenizerJson } = ggufToTokenizer({ metadata: metadata(changes), path: 'x.gguf' });
    expect(tokenizerJson.normalizer).toEqual(expected.normalizer);
    expect(tokenizerJson.pre_tokenizer).toEqual(expected.pre_tokenizer);
    expect(tokenizerJson.decoder).toEqual(expected.decoder);
    expect(tokenizerJson.model).toMatchObject({ ignore_merges: expected.model.ignore_merges });
  });
});

const smollm2 = process.env.MEMGEN_SMOLLM2_GGUF ?? '';

describe.skipIf(smollm2 === '' || isSharedMissing('golden/g_tokenizers/smollm2'))(
  'SmolLM2-135M-Instruct (needs MEMGEN_SMOLLM2_GGUF and the shared reference data)',
  () => {
    it('gives the tokenizer and the configuration of the original', async () => {
      const file = await openGguf(smollm2);
      const packed = await readFile(sharedPath('golden/g_tokenizers/smollm2/tokenizer.json.gz'));
      const { tokenizerJson, tokenizerConfig } = ggufToTokenizer(file);
      expect(tokenizerJson).toEqual(JSON.parse(gunzipSync(packed).toString()));
      const expected: Record<string, unknown> = JSON.parse(
        await readFile(sharedPath('golden/g_tokenizers/smollm2/tokenizer_config.json'), 'utf8'),
      );
      const { tokenizer_class } = expected;
      expect({ extra_special_tokens: {}, ...tokenizerConfig, tokenizer_class }).toEqual(expected);
      expect(ggufToConfig(file)).toMatchObject({ rope_theta: 100000, rms_norm_eps: 1e-5, tie_word_embeddings: true });
      expect(file.tensors.size).toBe(272);
      await file.close();
    });
  },
);
