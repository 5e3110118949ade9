// MemGen's conversation template: ChatML for every model, whatever its own template is.
import type { ChatMessage } from '@memgen/common';
import type { RenderedConversation } from './rendered-conversation.js';

/** What generation continues: the header of an assistant's message. */
export const assistantHeader = '<|im_start|>assistant\n';

/**
 * Renders messages as `<|im_start|>` role newline content `<|im_end|>` newline; a tool's message appears as the user's.
 * The assistant's part is its whole message, header and closing newline included, as the reference marks it.
 */
export function renderChatMl(messages: readonly ChatMessage[], addGenerationPrompt: boolean): RenderedConversation {
  let text = '';
  const assistantParts = [];
  for (const { role, content } of messages) {
    const start = text.length;
    const header = role === 'assistant' ? assistantHeader : `<|im_start|>${role === 'tool' ? 'user' : role}\n`;
    text += `${header}${content}<|im_end|>\n`;
    if (role === 'assistant') {
      assistantParts.push({ start, contentStart: start + header.length, end: text.length });
    }
  }
  if (addGenerationPrompt) text += assistantHeader;
  return { text, assistantParts };
}
