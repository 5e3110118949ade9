// Messages of a conversation, as every package passes them on.

/** One message. Roles other than these are rendered as they stand by a model's own template. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant' | 'tool';
  content: string;
}
