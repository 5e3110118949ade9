import type { ChatMessage } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from './__fixtures__/small-tokenizer.js';
import { ChatTemplate } from './chat-template.js';
import { encodeConversation, ignoredLabel, maskAssistantHeaders } from './encode-conversation.js';

const tokenizer = smallTokenizer();
const conversation: ChatMessage[] = [
  { role: 'user', content: 'hello €?' },
  { role: 'assistant', content: 'hello, 12.' },
  { role: 'user', content: 'so' },
  { role: 'assistant', content: 'é' },
];
/** The supervised stretches of a sequence as text. */
function supervised({ labels }: { labels: readonly number[] }, of = tokenizer): string[] {
  const stretches: number[][] = [];
  labels.forEach((label, i) => {
    if (label === ignoredLabel) return;
    if (i === 0 || labels[i - 1] === ignoredLabel) stretches.push([]);
    stretches.at(-1)!.push(label);
  });
  return stretches.map((ids) => of.decode(ids));
}

describe('encodeConversation', () => {
  it('labels what the assistant wrote, end token and newline included', () => {
    const encoded = encodeConversation(conversation, { tokenizer });
    expect(tokenizer.decode(encoded.ids)).toBe(encoded.text);
    expect(encoded.ids).toEqual(tokenizer.encode(encoded.text));
    expect(supervised(encoded)).toEqual(['hello, 12.<|im_end|>\n', 'é<|im_end|>\n']);
    expect(tokenizer.decode(encoded.ids.slice(0, encoded.promptLength))).toBe(
      '<|im_start|>user\nhello €?<|im_end|>\n<|im_start|>assistant\n',
    );
  });

  it("keeps the headers for who wants the collator's labels", () => {
    const encoded = encodeConversation(conversation, { tokenizer, maskHeaders: false });
    expect(supervised(encoded)[0]).toBe('<|im_start|>assistant\nhello, 12.<|im_end|>\n');
    const { labels } = encodeConversation(conversation, { tokenizer });
    expect(maskAssistantHeaders(encoded.ids, encoded.labels, tokenizer)).toEqual(labels);
  });

  it('masks a header also inside of what the assistant wrote', () => {
    const messages: ChatMessage[] = [{ role: 'assistant', content: 'a<|im_start|>assistant\nb' }];
    expect(supervised(encodeConversation(messages, { tokenizer }))).toEqual(['a', 'b<|im_end|>\n']);
  });

  it('gives a token that covers a boundary to the assistant', () => {
    // The header's newline and the one that starts the answer are one token.
    const messages: ChatMessage[] = [{ role: 'assistant', content: '\n\n' }];
    expect(supervised(encodeConversation(messages, { tokenizer }))).toEqual(['\n\n\n<|im_end|>\n']);
    const template = ChatTemplate.fromSource('{% generation %}h{% endgeneration %}e');
    expect(supervised(encodeConversation(messages, { tokenizer, template }))).toEqual(['he']);
  });

  it('works where a normalizer changes the text', () => {
    const normalizing = smallTokenizer({ json: { normalizer: { type: 'NFC' } } });
    const messages: ChatMessage[] = [
      { role: 'user', content: 'e\u0301 e\u0301' },
      { role: 'assistant', content: 'e\u0301!' },
    ];
    expect(supervised(encodeConversation(messages, { tokenizer: normalizing }), normalizing)).toEqual([
      'é!<|im_end|>\n',
    ]);
  });

  it('cuts at the limit or refuses', () => {
    const { ids, promptLength } = encodeConversation(conversation, { tokenizer });
    const maxLength = promptLength + 3;
    expect(() => encodeConversation(conversation, { tokenizer, maxLength, row: 'train.jsonl:3' })).toThrow(
      expect.objectContaining({ code: 'sequence-too-long', where: 'train.jsonl:3', got: `${ids.length} tokens` }),
    );
    const cut = encodeConversation(conversation, { tokenizer, maxLength, tooLong: 'truncate' });
    expect(cut.ids).toEqual(ids.slice(0, maxLength));
    expect(supervised(cut)).toEqual(['hello, ']);
  });

  it('refuses a row without anything to learn', () => {
    const empty = (messages: ChatMessage[], maxLength?: number) => () =>
      encodeConversation(messages, { tokenizer, row: 'row 7', maxLength, tooLong: 'truncate' });
    expect(empty(conversation.slice(0, 1))).toThrow(
      expect.objectContaining({ code: 'labels-empty', where: 'row 7', got: 'messages of user' }),
    );
    expect(empty([])).toThrow(/messages of nobody/);
    expect(empty(conversation, 10)).toThrow(/cut from \d+ to 10 tokens/);
  });
});
