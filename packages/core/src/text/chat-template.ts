// Turns a conversation into the text a model reads: by the model's own Jinja template or by MemGen's ChatML.
import { MemGenError, type ChatMessage, type ToolDefinition } from '@memgen/common';
import { renderChatMl } from './chatml.js';
import { checkMessages, checkTools } from './check-messages.js';
import { extractMarks, hasGenerationTags, markGenerationTags, unusedMarks } from './generation-tags.js';
import { compileJinja, runJinja, type JinjaProgram } from './jinja.js';
import type { AssistantPart, RenderedConversation } from './rendered-conversation.js';
import type { Tokenizer } from './tokenizer.js';

/** The longest published templates have about 20 000 characters. */
const maximumSourceLength = 2 ** 20;

export interface ChatTemplateOptions {
  /** Special tokens by name (`bos_token`, `eos_token`, ...), for the template to write. Default none. */
  specialTokens?: Readonly<Record<string, string>>;
  /** Clock for templates that show the date. Default none: such a template takes its own default or is an error. */
  now?: () => Date;
  /** Shown in errors. Default `"chat template"`. */
  where?: string;
}

export interface RenderOptions {
  /** Ends with the header of an assistant's message, for the model to go on. Default false. */
  addGenerationPrompt?: boolean;
  /** Whether a model that can think aloud does: `enable_thinking` of its template. @default what the template says */
  enableThinking?: boolean;
  /** Functions that the assistant may call: `tools` of a model's own template. MemGen's has no place for them. */
  tools?: readonly ToolDefinition[];
  /** Further variables of a model's own template. MemGen's uses none. */
  variables?: Readonly<Record<string, unknown>>;
}

/** Immutable; can be shared. */
export class ChatTemplate {
  private constructor(
    /** `chatml`: MemGen's own; `jinja`: a model's. */
    readonly kind: 'chatml' | 'jinja',
    /** Jinja source, empty for `chatml`. It is part of a run's record. */
    readonly source: string,
    private readonly options: ChatTemplateOptions,
  ) {}

  /** MemGen's conversation template, the same for every model. */
  static chatMl(): ChatTemplate {
    return new ChatTemplate('chatml', '', {});
  }

  /** @throws MemGenError `chat-template` if the source is not a Jinja template. */
  static fromSource(source: string, options: ChatTemplateOptions = {}): ChatTemplate {
    const template = new ChatTemplate('jinja', source, options);
    template.compile(source);
    return template;
  }

  /** The template that comes with a model. @throws MemGenError `chat-template` if it has none. */
  static ofTokenizer(tokenizer: Tokenizer, options: ChatTemplateOptions = {}): ChatTemplate {
    if (tokenizer.chatTemplate === undefined) {
      throw new MemGenError({
        code: 'chat-template',
        message: 'the tokenizer has no chat template',
        expected: 'chat_template in tokenizer_config.json, or chat_template.jinja',
        hint: 'use the ChatML template of MemGen',
      });
    }
    return ChatTemplate.fromSource(tokenizer.chatTemplate, { specialTokens: tokenizer.specialTokens, ...options });
  }

  /**
   * The exact text that the model is to read.
   * @throws MemGenError `chat-message` and `chat-tool` for what is no message or tool, `chat-template` if the template
   *   fails or has no place for tools.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    this.check(messages, options);
    return this.renderMarked(messages, options).text;
  }

  /**
   * Renders a whole conversation and finds the assistant's parts: where the template marks them with
   * `{% generation %}`, else from what each message adds to the text of those before it.
   *
   * @throws MemGenError as {@link render}; `chat-template-parts` if the parts cannot be found that way.
   */
  renderWithParts(messages: readonly ChatMessage[], options: RenderOptions = {}): RenderedConversation {
    this.check(messages, options);
    const rendered = this.renderMarked(messages, options);
    if (this.kind === 'chatml' || hasGenerationTags(this.source)) return rendered;
    return { text: rendered.text, assistantParts: this.partsByPrefixes(messages, rendered.text, options) };
  }

  private renderMarked(messages: readonly ChatMessage[], options: RenderOptions): RenderedConversation {
    const { addGenerationPrompt = false, enableThinking, tools, variables: further = {} } = options;
    if (this.kind === 'chatml') return renderChatMl(messages, addGenerationPrompt);
    const variables = {
      // As transformers has it: without tools and documents these are none, not undefined.
      tools: tools ?? null,
      documents: null,
      ...(enableThinking !== undefined && { enable_thinking: enableThinking }),
      ...further,
    };
    const marks = unusedMarks(this.source + JSON.stringify([messages, variables]));
    const program = this.compile(markGenerationTags(this.source, marks));
    const { text, spans } = extractMarks(this.run(program, messages, addGenerationPrompt, variables), marks);
    return { text, assistantParts: spans.map((span) => ({ ...span, contentStart: span.start })) };
  }

  private check(messages: readonly ChatMessage[], { tools = [] }: RenderOptions): void {
    checkMessages(messages);
    checkTools(tools);
    const calling = messages.findIndex(({ tool_calls: calls = [] }) => calls.length > 0);
    if (this.kind === 'jinja' || (tools.length === 0 && calling < 0)) return;
    throw new MemGenError({
      code: 'chat-template',
      where: calling < 0 ? 'tools' : `message ${calling + 1} of ${messages.length}`,
      message: "MemGen's ChatML has no place for tools and their calls",
      got: calling < 0 ? `${tools.length} tools` : 'tool_calls',
      hint: "use the model's own template: ChatTemplate.ofTokenizer(tokenizer)",
    });
  }

  private partsByPrefixes(messages: readonly ChatMessage[], text: string, options: RenderOptions): AssistantPart[] {
    const parts: AssistantPart[] = [];
    messages.forEach(({ role }, i) => {
      if (role !== 'assistant') return;
      // A template may put a default system message before the first one, so nothing can be said about that.
      if (i === 0) throw this.noParts('the conversation starts with the assistant');
      const before = messages.slice(0, i);
      const header = this.render(before, { ...options, addGenerationPrompt: true });
      const start = this.render(before, { ...options, addGenerationPrompt: false });
      const end = this.render(messages.slice(0, i + 1), { ...options, addGenerationPrompt: false });
      if (!text.startsWith(end) || !end.startsWith(start)) {
        throw this.noParts(`the template changes earlier messages when message ${i + 1} is added`);
      }
      const contentStart = end.startsWith(header) ? header.length : start.length;
      parts.push({ start: start.length, contentStart, end: end.length });
    });
    return parts;
  }

  private compile(source: string): JinjaProgram {
    if (source.length > maximumSourceLength) {
      throw this.failure('the template is too long', `${source.length} characters, at most ${maximumSourceLength}`);
    }
    try {
      return compileJinja(source);
    } catch (error) {
      throw this.failure('the template is not valid', describe(error), error);
    }
  }

  private run(
    program: JinjaProgram,
    messages: readonly ChatMessage[],
    addGenerationPrompt: boolean,
    variables: Readonly<Record<string, unknown>>,
  ): string {
    const { specialTokens = {}, now } = this.options;
    try {
      const given = { ...specialTokens, ...variables, messages, add_generation_prompt: addGenerationPrompt };
      return runJinja(program, given, now);
    } catch (error) {
      throw this.failure('the template does not accept this conversation', describe(error), error);
    }
  }

  private failure(message: string, got: string, cause?: unknown): MemGenError {
    return new MemGenError({
      code: 'chat-template',
      where: this.options.where ?? 'chat template',
      message,
      got,
      hint: 'check the roles and their order, the variables, and the clock if the template shows a date; or use the ChatML template of MemGen',
      cause,
    });
  }

  private noParts(got: string): MemGenError {
    return new MemGenError({
      code: 'chat-template-parts',
      where: this.options.where ?? 'chat template',
      message: "the assistant's part of the text cannot be found",
      got,
      expected: '{% generation %} tags, or a template in which each message only adds to the text',
      hint: 'train with the ChatML template of MemGen, or add the tags to the template',
    });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
