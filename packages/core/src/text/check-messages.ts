// Checks conversations and tools before a template sees them: they often come from files.
import { MemGenError, type ChatMessage, type ToolDefinition } from '@memgen/common';

/** @throws MemGenError `chat-message` naming the message and what is wrong with it. */
export function checkMessages(messages: readonly ChatMessage[]): void {
  messages.forEach((message: unknown, i) => {
    const where = `message ${i + 1} of ${messages.length}`;
    const fail = (text: string, got: unknown, expected: string) => failure('chat-message', where, text, got, expected);
    if (!isObject(message)) throw fail('a message must be an object', message, 'an object with role and content');
    const { role, content, name, tool_calls: calls, tool_call_id: callId } = message;
    if (typeof role !== 'string' || role === '') {
      throw fail('a message needs a role', role, 'system, user, assistant or tool');
    }
    if (typeof content !== 'string') throw fail('the content of a message must be text', content, 'a string');
    if (name !== undefined && typeof name !== 'string') throw fail('a name must be text', name, 'a string');
    if (callId !== undefined && typeof callId !== 'string') throw fail('tool_call_id must be text', callId, 'a string');
    if (calls === undefined) return;
    if (role !== 'assistant') throw fail('only the assistant calls tools', role, 'tool_calls of an assistant only');
    if (!Array.isArray(calls) || !calls.every(isToolCall)) {
      const expected = '[{"function": {"name": ..., "arguments": an object or JSON text}, "id": ...}]';
      throw fail('tool_calls are not calls of functions', calls, expected);
    }
  });
}

/** @throws MemGenError `chat-tool` for what is not the definition of a function. */
export function checkTools(tools: readonly ToolDefinition[]): void {
  tools.forEach((tool: unknown, i) => {
    const definition = isObject(tool) ? tool['function'] : undefined;
    const parameters = isObject(definition) ? definition['parameters'] : undefined;
    const isFunction = isObject(definition) && typeof definition['name'] === 'string';
    if (isFunction && (parameters === undefined || isObject(parameters))) return;
    const where = `tool ${i + 1} of ${tools.length}`;
    const expected = '{"type": "function", "function": {"name": ..., "parameters": a JSON schema}}';
    throw failure('chat-tool', where, 'a tool must be the definition of a function', tool, expected);
  });
}

function isToolCall(call: unknown): boolean {
  if (!isObject(call) || !isObject(call['function'])) return false;
  const { name, arguments: given } = call['function'];
  const hasId = call['id'] === undefined || typeof call['id'] === 'string';
  return hasId && typeof name === 'string' && (typeof given === 'string' || isObject(given));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function failure(code: string, where: string, message: string, got: unknown, expected: string): MemGenError {
  return new MemGenError({ code, where, message, got: JSON.stringify(got) ?? 'nothing', expected });
}
