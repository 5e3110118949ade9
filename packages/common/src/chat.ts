// Messages of a conversation, as every package passes them on.

/** A function that the assistant calls; field names as templates and servers have them. */
export interface ToolCall {
  /** Names the call for its result. */
  id?: string;
  type?: 'function';
  function: {
    name: string;
    /** An object, or JSON text as some servers give it: templates differ in what they take. */
    arguments: Readonly<Record<string, unknown>> | string;
  };
}

/** A function that the assistant may call. */
export interface ToolDefinition {
  type: 'function';
  function: {
    name: string;
    description?: string;
    /** JSON schema of the arguments. */
    parameters?: Readonly<Record<string, unknown>>;
    /** Other fields go to the template as they are. */
    [field: string]: unknown;
  };
}

/** One message. Roles other than these are rendered as they stand by a model's own template. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
  /** Of the speaker, or of the function whose result a tool's message is. */
  name?: string;
  /** Only in messages of the assistant. */
  tool_calls?: readonly ToolCall[];
  /** Of the call whose result a tool's message is. */
  tool_call_id?: string;
}
