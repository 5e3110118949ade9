// Text in and out of a model: tokenizer, chat templates, labels, incremental decoding, delimiters.
export { ChatTemplate, type ChatTemplateOptions, type RenderOptions } from './chat-template.js';
export { assistantHeader } from './chatml.js';
export { delimiterPlaces } from './delimiter-places.js';
export { delimiters, endsWithDelimiter, type DelimiterRule } from './delimiter.js';
export {
  encodeConversation,
  ignoredLabel,
  maskAssistantHeaders,
  type EncodeConversationOptions,
  type EncodedConversation,
} from './encode-conversation.js';
export { IncrementalDecoder } from './incremental-decoder.js';
export { padLeft, type PaddedBatch } from './left-pad.js';
export type { AssistantPart, RenderedConversation } from './rendered-conversation.js';
export { Tokenizer, type TokenizerExtras } from './tokenizer.js';
