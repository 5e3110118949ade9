// Group g: ids, decoding and chat templates of tokenizers.
import { MemGenError } from '@memgen/common';
import { ChatTemplate, encodeConversation, ignoredLabel, IncrementalDecoder, padLeft, Tokenizer } from '@memgen/core';
import { z } from 'zod';
import type { Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';

const ids = z.array(z.number());
const chat = z.object({
  conversation: z.string(),
  /** `"own"` or MemGen's. */
  template: z.string(),
  add_generation_prompt: z.boolean(),
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant', 'tool']), content: z.string() })),
  text: z.string(),
  ids,
  assistant_masks: ids.optional(),
});
const string = z.object({
  text: z.string(),
  ids,
  tokens: z.array(z.string()),
  ids_with_special: ids,
  decode: z.string(),
  decode_skip_special: z.string(),
  prefix_decodes: z.array(z.string()),
});
const meta = z.object({
  pad_token_id: z.number(),
  eos_token_id: z.number(),
  bos_token_id: z.number().nullable(),
  chat: z.array(chat),
  strings: z.array(string),
  batch_left_pad: z.object({ texts: z.array(z.string()), input_ids: z.array(ids), attention_mask: z.array(ids) }),
});

export async function checkTokenizer(golden: GoldenCase, compare: Comparison): Promise<void> {
  const recorded = await golden.json(meta, `../${golden.name.split('/').at(-1)!}.json`);
  const tokenizer = await Tokenizer.fromFolder(golden.path());
  compare.exact(
    'special tokens',
    [tokenizer.padId, tokenizer.eosId, tokenizer.bosId ?? null],
    [recorded.pad_token_id, recorded.eos_token_id, recorded.bos_token_id],
  );
  for (const entry of recorded.strings) checkString(tokenizer, entry, compare);
  for (const entry of recorded.chat) checkChat(tokenizer, entry, compare);
  const { texts, input_ids, attention_mask } = recorded.batch_left_pad;
  const padded = padLeft(
    texts.map((text) => tokenizer.encode(text)),
    tokenizer.padId,
  );
  compare.exact('padding on the left', padded, { ids: input_ids, attentionMask: attention_mask });
}

function checkString(tokenizer: Tokenizer, want: z.infer<typeof string>, compare: Comparison): void {
  const of = `of ${JSON.stringify(want.text.slice(0, 40))}`;
  compare.exact(`ids ${of}`, tokenizer.encode(want.text), want.ids);
  compare.exact(
    `ids with special tokens ${of}`,
    tokenizer.encode(want.text, { addSpecialTokens: true }),
    want.ids_with_special,
  );
  compare.exact(
    `tokens ${of}`,
    want.ids.map((id) => tokenizer.tokenOf(id)),
    want.tokens,
  );
  compare.exact(`decoded text ${of}`, tokenizer.decode(want.ids), want.decode);
  const withoutSpecial = tokenizer.decode(want.ids, { skipSpecialTokens: true });
  compare.exact(`decoded text without special tokens ${of}`, withoutSpecial, want.decode_skip_special);
  // Only the first few prefixes are recorded.
  const ids = want.ids.slice(0, want.prefix_decodes.length);
  const prefixes = ids.map((_, i) => tokenizer.decode(ids.slice(0, i + 1)));
  compare.exact(`decoded prefixes ${of}`, prefixes, want.prefix_decodes);
  const incremental = new IncrementalDecoder(tokenizer);
  const grown = ids.map((id) => incremental.push(id));
  compare.exact(`incrementally decoded prefixes ${of}`, grown, want.prefix_decodes);
}

function checkChat(tokenizer: Tokenizer, want: z.infer<typeof chat>, compare: Comparison): void {
  const isOwn = want.template === 'own';
  const template = isOwn ? ChatTemplate.ofTokenizer(tokenizer) : ChatTemplate.chatMl();
  const prompt = want.add_generation_prompt ? ' with generation prompt' : '';
  const of = `of ${want.conversation} by ${isOwn ? "the model's template" : "MemGen's template"}${prompt}`;
  compare.exact(
    `text ${of}`,
    template.render(want.messages, { addGenerationPrompt: want.add_generation_prompt }),
    want.text,
  );
  compare.exact(`ids ${of}`, tokenizer.encode(want.text), want.ids);
  if (want.assistant_masks !== undefined && !want.add_generation_prompt) {
    compare.exact(`assistant mask ${of}`, assistantMask(tokenizer, template, want), want.assistant_masks);
  }
}

/** 1 for each token that the assistant wrote, header included; all 0 where it wrote nothing, which training refuses. */
function assistantMask(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  { messages, ids }: z.infer<typeof chat>,
): number[] {
  try {
    const { labels } = encodeConversation(messages, { tokenizer, template, maskHeaders: false });
    return labels.map((label) => (label === ignoredLabel ? 0 : 1));
  } catch (error) {
    if (MemGenError.isInstance(error) && error.code === 'labels-empty') return ids.map(() => 0);
    throw error;
  }
}
