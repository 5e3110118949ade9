import type { ChatMessage } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from './__fixtures__/small-tokenizer.js';
import { ChatTemplate } from './chat-template.js';

const conversation: ChatMessage[] = [
  { role: 'user', content: 'Hi.' },
  { role: 'assistant', content: 'Hello' },
  { role: 'tool', content: 'found' },
  { role: 'assistant', content: 'Bye' },
];
/** A template whose messages only add to the text. */
const plain =
  "{{ bos_token }}{% for message in messages %}[{{ message.role }}] {{ message['content'] }}\n{% endfor %}" +
  '{% if add_generation_prompt %}[assistant] {% endif %}';

/** What each part covers: header and content. */
function parts(template: ChatTemplate, messages: readonly ChatMessage[]): [string, string][] {
  const { text, assistantParts } = template.renderWithParts(messages);
  return assistantParts.map(({ start, contentStart, end }) => [
    text.slice(start, contentStart),
    text.slice(contentStart, end),
  ]);
}

describe("MemGen's ChatML", () => {
  const template = ChatTemplate.chatMl();

  it('renders every message alike and a tool as the user', () => {
    expect(template.render(conversation.slice(0, 3), { addGenerationPrompt: true })).toBe(
      '<|im_start|>user\nHi.<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nfound<|im_end|>\n' +
        '<|im_start|>assistant\n',
    );
    expect(template.render([])).toBe('');
  });

  it("marks the assistant's messages whole", () => {
    expect(parts(template, conversation)).toEqual([
      ['<|im_start|>assistant\n', 'Hello<|im_end|>\n'],
      ['<|im_start|>assistant\n', 'Bye<|im_end|>\n'],
    ]);
  });

  it('refuses what is not text', () => {
    const image = { role: 'user', content: [{ type: 'image' }] } as unknown as ChatMessage;
    expect(() => template.render([conversation[0]!, image])).toThrow(
      /message 2 of 2: the content of a message must be text/,
    );
    const nobody = { content: 'x' } as unknown as ChatMessage;
    expect(() => template.render([nobody])).toThrow(/needs a role/);
  });
});

describe("a model's own template", () => {
  it('is rendered with its special tokens and further variables', () => {
    const source = plain + '{% if enable_thinking is false %}<think></think>{% endif %}';
    const template = ChatTemplate.fromSource(source, { specialTokens: { bos_token: '<s>' } });
    expect(template.render(conversation.slice(0, 1))).toBe('<s>[user] Hi.\n');
    const options = { addGenerationPrompt: true, variables: { enable_thinking: false } };
    expect(template.render(conversation.slice(0, 1), options)).toBe('<s>[user] Hi.\n[assistant] <think></think>');
  });

  it('comes with a tokenizer or is missed', () => {
    const config = { chat_template: '{{ eos_token }}' };
    expect(ChatTemplate.ofTokenizer(smallTokenizer({ config })).render([])).toBe('<|im_end|>');
    expect(() => ChatTemplate.ofTokenizer(smallTokenizer())).toThrow(/no chat template/);
  });

  it("finds the assistant's parts by what each message adds", () => {
    expect(parts(ChatTemplate.fromSource(plain), conversation)).toEqual([
      ['[assistant] ', 'Hello\n'],
      ['[assistant] ', 'Bye\n'],
    ]);
  });

  it('says so if the parts cannot be found', () => {
    const changing = ChatTemplate.fromSource('{{ messages | length }}' + plain);
    expect(() => changing.renderWithParts(conversation)).toThrow(/changes earlier messages when message 2/);
    expect(() => ChatTemplate.fromSource(plain).renderWithParts(conversation.slice(1))).toThrow(
      /starts with the assistant/,
    );
  });

  it('finds the parts by generation tags and keeps the white space as Jinja does', () => {
    const template = ChatTemplate.fromSource(
      [
        '{%- for message in messages %}',
        "    {%- if message.role == 'assistant' %}",
        "{{- '<a>\\n' }}",
        '        {% generation %}',
        "{{ message.content + '</a>' }}",
        '        {% endgeneration %}',
        '    {%- else %}',
        "{{- '<u>' + message.content + '</u>\\n' }}",
        '    {%- endif %}',
        '{%- endfor %}',
      ].join('\n'),
    );
    // As jinja2 with trim_blocks and lstrip_blocks renders it.
    expect(template.render(conversation.slice(0, 2))).toBe('<u>Hi.</u>\n<a>\n\nHello</a>\n');
    expect(parts(template, conversation)).toEqual([
      ['', 'Hello</a>\n'],
      ['', 'Bye</a>\n'],
    ]);
    const tight = ChatTemplate.fromSource(
      '{% for message in messages %} {%- generation -%} {{ message.content }} {%- endgeneration -%} {% endfor %}',
    );
    expect(tight.renderWithParts(conversation.slice(0, 2)).text).toBe('Hi.Hello');
  });

  it('is not confused by messages that hold its marks', () => {
    const template = ChatTemplate.fromSource('{% generation %}{{ messages[0].content }}{% endgeneration %}');
    const content = '\u{f0000}a\u{f0001}b\u{f0002}';
    expect(parts(template, [{ role: 'user', content }])).toEqual([['', content]]);
  });

  it('shows the date only of a given clock', () => {
    const source = "{{ strftime_now('%d %B %Y, %a %H:%M %%') }}";
    const now = () => new Date(2026, 1, 3, 4, 5);
    expect(ChatTemplate.fromSource(source, { now }).render([])).toBe('03 February 2026, Tue 04:05 %');
    expect(() => ChatTemplate.fromSource(source).render([])).toThrow(/clock/);
    const careful = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}no date{% endif %}";
    expect(ChatTemplate.fromSource(careful).render([])).toBe('no date');
  });

  it('gives typed errors for faults of the template', () => {
    expect(() => ChatTemplate.fromSource('{% if %}', { where: 'x.jinja' })).toThrow(
      /x\.jinja: the template is not valid/,
    );
    expect(() => ChatTemplate.fromSource('a'.repeat(2 ** 20 + 1))).toThrow(/too long/);
    const refusing = ChatTemplate.fromSource("{{ raise_exception('roles must alternate') }}");
    expect(() => refusing.render(conversation)).toThrow(/roles must alternate/);
    const endless = ChatTemplate.fromSource('{% for i in range(1000000000) %}x{% endfor %}');
    expect(() => endless.render(conversation)).toThrow(/at most 100000/);
    expect(ChatTemplate.fromSource('{{ range(1, 7, 2) | join(",") }}').render([])).toBe('1,3,5');
  });
});
