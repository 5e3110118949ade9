// A conversation with a model: what was said so far, and the next answer as a stream.
import type { ChatMessage, Random } from '@memgen/common';
import { streamGenerate, type GenerateOptions } from '../../generation/index.js';
import type { OpenedModel } from './generate-model.js';

export interface ConversationOptions {
  /** Of every answer. */
  generation: GenerateOptions & { random: Random };
  system?: string | undefined;
  enableThinking?: boolean | undefined;
}

export class ChatConversation {
  private messages: ChatMessage[] = [];
  /** Answers since the start: each draws from a stream of its own. */
  private answers = 0;

  constructor(
    private readonly model: OpenedModel,
    private readonly options: ConversationOptions,
  ) {
    this.reset();
  }

  /** Forgets everything but the system message. */
  reset(): void {
    const { system } = this.options;
    this.messages = system === undefined ? [] : [{ role: 'system', content: system }];
  }

  /** The pieces of the next answer; what was said before an abort stays in the conversation. */
  async *answer(content: string, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const { reasoner, adapter, template } = this.model;
    const { enableThinking, generation } = this.options;
    const messages: ChatMessage[] = [...this.messages, { role: 'user', content }];
    const prompt = template.render(messages, { addGenerationPrompt: true, enableThinking });
    const stream = streamGenerate(reasoner, [reasoner.tokenizer.encode(prompt)], {
      ...generation,
      adapter,
      signal,
      random: generation.random.fork(`answer ${this.answers++}`),
    });
    let answer = '';
    for await (const { text } of stream) {
      answer += text;
      if (text !== '') yield text;
    }
    this.messages = [...messages, { role: 'assistant', content: answer }];
  }
}
