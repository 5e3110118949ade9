// Tools and thinking in chat templates of models, against what Python's jinja2 makes of the same templates.
import { readFileSync } from 'node:fs';
import type { ChatMessage, ToolDefinition } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { smallTokenizer } from './__fixtures__/small-tokenizer.js';
import { ChatTemplate, type RenderOptions } from './chat-template.js';
import { encodeConversation, ignoredLabel } from './encode-conversation.js';

interface Rendered {
  tools: ToolDefinition[];
  conversations: Record<string, ChatMessage[]>;
  cases: { template: string; conversation: string; withTools: boolean; options: RenderOptions; text: string }[];
}

const fixture = (name: string) => readFileSync(new URL(`__fixtures__/${name}`, import.meta.url), 'utf8');
// Made with jinja2 3.1.6 and the settings of transformers (trim_blocks, lstrip_blocks, tojson without escapes).
const { tools, conversations, cases } = JSON.parse(fixture('rendered-templates.json')) as Rendered;
const templateOf = (name: string) => ChatTemplate.fromSource(fixture(`${name}.jinja`));

describe('templates with tools and thinking', () => {
  it.each(cases)('$template: $conversation, $options, tools: $withTools', (golden) => {
    const messages = conversations[golden.conversation]!;
    const options = { ...golden.options, ...(golden.withTools && { tools }) };
    expect(templateOf(golden.template).render(messages, options)).toBe(golden.text);
  });

  it('see none, not undefined, where there are no tools; given variables win', () => {
    const source = "{{ 'tools' if tools is defined }} {{ 'none' if tools is none }} {{ 'on' if enable_thinking }}";
    const template = ChatTemplate.fromSource(source);
    expect(template.render([])).toBe('tools none ');
    expect(template.render([], { tools, enableThinking: true })).toBe('tools  on');
    expect(template.render([], { enableThinking: true, variables: { enable_thinking: false } })).toBe('tools none ');
  });

  it('label what the assistant says, calls included', () => {
    const tokenizer = smallTokenizer();
    const template = templateOf('modes-metadata');
    const { ids, labels, text } = encodeConversation(conversations['answered']!, { tokenizer, template, tools, maskHeaders: false }); // prettier-ignore
    expect(text).toContain('<tools n=2>');
    const learned = tokenizer.decode(ids.filter((_, i) => labels[i] !== ignoredLabel));
    expect(learned).toContain('<call id=none>now {"zone": null, "precise": 1.5}</call>');
    expect(learned).toContain('Noon.');
    expect(learned).not.toContain('12:30');
  });
});

describe('messages with tools', () => {
  const call = { id: 'a', function: { name: 'f', arguments: {} } };
  const withCalls = (calls: unknown, role = 'assistant') => [{ role, content: '', tool_calls: calls }];
  const template = ChatTemplate.fromSource('{{ messages | tojson }}');

  it('pass through to the template', () => {
    const messages: ChatMessage[] = [
      { role: 'assistant', content: '', tool_calls: [{ ...call, function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', content: 'x', tool_call_id: 'a', name: 'f' },
    ];
    expect(JSON.parse(template.render(messages))).toEqual(messages);
  });

  it.each<[string, unknown[]]>([
    ['tool_calls are not calls', withCalls({})],
    ['tool_calls are not calls', withCalls([{ name: 'f', arguments: {} }])],
    ['tool_calls are not calls', withCalls([{ function: { name: 'f', arguments: 3 } }])],
    ['tool_calls are not calls', withCalls([{ ...call, id: 3 }])],
    ['only the assistant calls tools', withCalls([call], 'user')],
    ['tool_call_id must be text', [{ role: 'tool', content: '', tool_call_id: 4 }]],
    ['a name must be text', [{ role: 'tool', content: '', name: {} }]],
    ['must be an object', ['hello']],
  ])('are refused: %s', (message, messages) => {
    expect(() => template.render(messages as ChatMessage[])).toThrow(
      expect.objectContaining({ code: 'chat-message', message: expect.stringContaining(message) }),
    );
  });

  it('are refused with tools that are no functions', () => {
    for (const tool of [{ name: 'f' }, { type: 'function', function: { name: 'f', parameters: [] } }, 'f']) {
      expect(() => template.render([], { tools: [tool as unknown as ToolDefinition] })).toThrow(
        expect.objectContaining({ code: 'chat-tool', where: 'tool 1 of 1' }),
      );
    }
  });

  it("are refused by MemGen's ChatML, which would drop them", () => {
    const chatMl = ChatTemplate.chatMl();
    expect(() => chatMl.render([], { tools })).toThrow(/no place for tools/);
    expect(() => chatMl.render(withCalls([call]) as ChatMessage[])).toThrow(/message 1 of 1.*no place for tools/);
    expect(chatMl.render(withCalls([]) as ChatMessage[], { tools: [] })).toBe('<|im_start|>assistant\n<|im_end|>\n');
  });
});
