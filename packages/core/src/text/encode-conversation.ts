// A conversation as token ids and labels: what the model reads and what it is trained to write.
import { MemGenError, type ChatMessage } from '@memgen/common';
import { ChatTemplate, type RenderOptions } from './chat-template.js';
import { assistantHeader } from './chatml.js';
import { tokensAtBoundaries } from './token-spans.js';
import type { Tokenizer } from './tokenizer.js';

/** Label of a token that is not supervised. */
export const ignoredLabel = -100;

export interface EncodeConversationOptions {
  tokenizer: Tokenizer;
  /** Default MemGen's ChatML. */
  template?: ChatTemplate;
  /** Variables of the template. Default none. */
  variables?: RenderOptions['variables'];
  /** As in {@link RenderOptions}. */
  enableThinking?: RenderOptions['enableThinking'];
  /** As in {@link RenderOptions}. */
  tools?: RenderOptions['tools'];
  /**
   * Takes the header of every assistant's message out of the labels, so that the first label is where generation would
   * start. Default true; false gives the labels as the reference's collator makes them.
   */
  maskHeaders?: boolean;
  /** Longest allowed sequence in tokens. Default no limit. */
  maxLength?: number;
  /** What to do with a longer one. Default `error`; `truncate` drops its end. */
  tooLong?: 'error' | 'truncate';
  /** Name of the row for errors, e.g. `train.jsonl:17`. Default `"conversation"`. */
  row?: string;
}

export interface EncodedConversation {
  text: string;
  /** `[tokens]` */
  ids: number[];
  /** `[tokens]`: the token's id where the assistant wrote it, else {@link ignoredLabel}. */
  labels: number[];
  /** Index of the first label: tokens before the assistant first speaks. */
  promptLength: number;
}

/**
 * Renders and tokenizes a conversation; only the assistant's messages (content, end token and the newline after it) are
 * labelled.
 *
 * @throws MemGenError `labels-empty` if nothing is left to learn, `sequence-too-long`, and those of the template.
 */
export function encodeConversation(
  messages: readonly ChatMessage[],
  {
    tokenizer,
    template = ChatTemplate.chatMl(),
    variables = {},
    enableThinking,
    tools,
    maskHeaders = true,
    maxLength = Infinity,
    tooLong = 'error',
    row = 'conversation',
  }: EncodeConversationOptions,
): EncodedConversation {
  const { text, assistantParts } = template.renderWithParts(messages, { variables, enableThinking, tools });
  const allIds = tokenizer.encode(text);
  if (allIds.length > maxLength && tooLong === 'error') throw tooLongError(row, allIds.length, maxLength);
  const ids = allIds.slice(0, maxLength);
  const labels = ids.map(() => ignoredLabel);
  const boundaries = assistantParts.flatMap((part) => [maskHeaders ? part.contentStart : part.start, part.end]);
  const places = tokensAtBoundaries(tokenizer, text, allIds, boundaries);
  for (let i = 0; i < places.length; i += 2) {
    const end = places[i + 1]!;
    // A token that covers a boundary belongs to the assistant, as transformers decides it.
    for (let t = places[i]!.token; t < Math.min(ids.length, end.token + Number(end.isInside)); t++) labels[t] = ids[t]!;
  }
  const supervised = maskHeaders ? maskAssistantHeaders(ids, labels, tokenizer) : labels;
  const promptLength = supervised.findIndex((label) => label !== ignoredLabel);
  if (promptLength < 0) throw emptyLabelsError(row, messages, allIds.length, maxLength);
  return { text, ids, labels: supervised, promptLength };
}

/**
 * Labels with -100 wherever the ids of `<|im_start|>assistant` newline occur, so that the boundary between prompt and
 * completion lies right after that header.
 */
export function maskAssistantHeaders(
  ids: readonly number[],
  labels: readonly number[],
  tokenizer: Tokenizer,
): number[] {
  const header = tokenizer.encode(assistantHeader);
  const masked = [...labels];
  for (let i = 0; i + header.length <= ids.length; i++) {
    if (header.every((id, k) => ids[i + k] === id)) masked.fill(ignoredLabel, i, i + header.length);
  }
  return masked;
}

function tooLongError(row: string, length: number, maxLength: number): MemGenError {
  return new MemGenError({
    code: 'sequence-too-long',
    where: row,
    message: 'the conversation is longer than the limit',
    got: `${length} tokens`,
    expected: `at most ${maxLength}`,
    hint: 'raise the limit, leave the row out, or truncate',
  });
}

function emptyLabelsError(
  row: string,
  messages: readonly ChatMessage[],
  length: number,
  maxLength: number,
): MemGenError {
  const roles = messages.map(({ role }) => role).join(', ');
  const cut = length > maxLength ? `, cut from ${length} to ${maxLength} tokens` : '';
  return new MemGenError({
    code: 'labels-empty',
    where: row,
    message: 'no token is left to learn from: every label is masked',
    got: `messages of ${roles || 'nobody'}${cut}`,
    expected: 'at least one message of the assistant within the limit of length',
    hint: 'check the row; if it was cut, raise the limit or leave it out',
  });
}
