// Compares with the reference: Rust tokenizers, transformers' chat templates and masks, MemGen's labels and points.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatMessage } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../formats/safetensors/index.js';
import { isSharedMissing, sharedPath } from '../formats/shared-files.test-helper.js';
import { ChatTemplate } from './chat-template.js';
import { delimiterPlaces } from './delimiter-places.js';
import { encodeConversation, ignoredLabel, maskAssistantHeaders } from './encode-conversation.js';
import { IncrementalDecoder } from './incremental-decoder.js';
import { padLeft } from './left-pad.js';
import { Tokenizer } from './tokenizer.js';

interface TokenizerGolden {
  vocab_size: number;
  pad_token_id: number;
  eos_token_id: number;
  bos_token_id: number | null;
  strings: {
    text: string;
    ids: number[];
    ids_with_special: number[];
    tokens: string[];
    decode: string;
    decode_skip_special: string;
    prefix_decodes: string[];
  }[];
  chat: {
    conversation: string;
    template: string;
    add_generation_prompt: boolean;
    messages: ChatMessage[];
    text: string;
    ids: number[];
    assistant_masks?: number[];
  }[];
  batch_left_pad: { texts: string[]; input_ids: number[][]; attention_mask: number[][] };
}

const tokenizers = 'golden/g_tokenizers';
const hasTokenizers = !isSharedMissing(tokenizers);
const names = hasTokenizers
  ? readdirSync(sharedPath(tokenizers)).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []))
  : ['(absent)'];

describe.skipIf(!hasTokenizers).each(names)('tokenizer %s (skipped without the golden data)', (name) => {
  const load = async (): Promise<[Tokenizer, TokenizerGolden]> => [
    await Tokenizer.fromFolder(sharedPath(tokenizers, name)),
    JSON.parse(readFileSync(sharedPath(tokenizers, `${name}.json`), 'utf8')) as TokenizerGolden,
  ];

  it('has the same special tokens', async () => {
    const [tokenizer, golden] = await load();
    expect([tokenizer.vocabularySize, tokenizer.padId, tokenizer.eosId, tokenizer.bosId ?? null]).toEqual([
      golden.vocab_size,
      golden.pad_token_id,
      golden.eos_token_id,
      golden.bos_token_id,
    ]);
  });

  it('encodes and decodes every string', async () => {
    const [tokenizer, golden] = await load();
    expect(golden.strings.length).toBeGreaterThan(0);
    for (const { text, ...expected } of golden.strings) {
      const ids = tokenizer.encode(text);
      expect(
        {
          ids,
          ids_with_special: tokenizer.encode(text, { addSpecialTokens: true }),
          tokens: ids.map((id) => tokenizer.tokenOf(id)),
          decode: tokenizer.decode(ids),
          decode_skip_special: tokenizer.decode(ids, { skipSpecialTokens: true }),
        },
        text,
      ).toMatchObject({
        ids: expected.ids,
        ids_with_special: expected.ids_with_special,
        tokens: expected.tokens,
        decode: expected.decode,
        decode_skip_special: expected.decode_skip_special,
      });
      const decoder = new IncrementalDecoder(tokenizer);
      const prefixes = ids.map((id) => decoder.push(id));
      expect(prefixes.at(-1) ?? '').toBe(expected.decode);
      // Of long strings the golden holds the first prefixes only.
      expect(prefixes.slice(0, expected.prefix_decodes.length)).toEqual(expected.prefix_decodes);
    }
  });

  it('renders and masks every conversation', async () => {
    const [tokenizer, golden] = await load();
    for (const { template: kind, add_generation_prompt: addGenerationPrompt, messages, ...expected } of golden.chat) {
      const template = kind === 'own' ? ChatTemplate.ofTokenizer(tokenizer) : ChatTemplate.chatMl();
      const text = template.render(messages, { addGenerationPrompt });
      expect(text, expected.conversation).toBe(expected.text);
      expect(tokenizer.encode(text)).toEqual(expected.ids);
      if (expected.assistant_masks?.includes(1) !== true) continue;
      const { ids, labels } = encodeConversation(messages, { tokenizer, template, maskHeaders: false });
      expect(ids).toEqual(expected.ids);
      expect(labels).toEqual(ids.map((id, i) => (expected.assistant_masks?.[i] === 1 ? id : ignoredLabel)));
    }
  });

  it('pads on the left', async () => {
    const [tokenizer, { batch_left_pad: golden }] = await load();
    const sequences = golden.texts.map((text) => tokenizer.encode(text));
    expect(padLeft(sequences, tokenizer.padId)).toEqual({
      ids: golden.input_ids,
      attentionMask: golden.attention_mask,
    });
  });
});

const memgen = 'golden/c_memgen';
const hasMemgen = !isSharedMissing(memgen);
/** Reasoner whose tokenizer a group of cases uses. */
const reasoners: Record<string, string> = { llama: 'llama-mem', qwen2: 'qwen2-mem', 'qwen2-hetero': 'qwen2-mem' };
const cases = hasMemgen
  ? readdirSync(sharedPath(memgen)).flatMap((group) =>
      readdirSync(sharedPath(memgen, group)).flatMap((name) => (/^(instruct|conv)_/.test(name) ? [[group, name]] : [])),
    )
  : [['(absent)', '']];

describe.skipIf(!hasMemgen).each(cases)('training case %s/%s (skipped without the golden data)', (group, name) => {
  const folder = sharedPath(memgen, group, name);

  it('masks the headers and finds the augmentation points', async () => {
    const tokenizer = await Tokenizer.fromFolder(sharedPath('golden/models', reasoners[group]!));
    const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as {
      config: { max_inference_aug_num?: number };
      augmentation_points: number[][];
    };
    const file = await openSafetensors(join(folder, 'io.safetensors'));
    const rows = async (tensor: string): Promise<number[][]> => {
      const values = await file.readNumbers(tensor);
      const [count = 0, width = 0] = file.tensors.get(tensor)!.shape;
      return Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width));
    };
    const [inputs, labels, expected] = [
      await rows('input_ids'),
      await rows('labels_in'),
      await rows('labels_postprocessed'),
    ];
    await file.close();
    expect(inputs.map((ids, row) => maskAssistantHeaders(ids, labels[row]!, tokenizer))).toEqual(expected);
    if (name.startsWith('conv')) return;
    const isLabel = (row: number, i: number): boolean => (expected[row]?.[i] ?? ignoredLabel) !== ignoredLabel;
    const points = inputs.map((ids, row) => {
      const places = delimiterPlaces(tokenizer, ids);
      const inference = ids.flatMap((_, i) => (places[i] && isLabel(row, i - 1) && isLabel(row, i) ? [i] : []));
      const prompt = ids.findIndex((_, i) => isLabel(row, i));
      return [prompt, ...inference.slice(0, meta.config.max_inference_aug_num)];
    });
    expect(points).toEqual(meta.augmentation_points);
  });
});
