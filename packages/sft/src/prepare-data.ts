// From examples in words to training rows: chat template, tokens, labels on the assistant's words, a filter by length.
import { MemGenError, type ChatMessage, type Random } from '@memgen/common';
import {
  chooseTurns,
  encodeConversation,
  prepareTurns,
  type PlainSequence,
  type PrepareRowOptions,
  type WovenRow,
} from '@memgen/core';

/** A conversation, or a prompt and what is to be answered. */
export type SftExample = { name?: string } & (
  { messages: readonly ChatMessage[] } | { system?: string; prompt: string; completion: string }
);

export interface PrepareDataOptions extends Pick<PrepareRowOptions, 'tokenizer' | 'template'> {
  /** Longest row in tokens. @default 1024 */
  maxLength?: number;
  /**
   * Longer rows are left out, or cut at their end as in the reference, where rows whose prompt alone fills the limit are
   * left out. @default 'leave-out'
   */
  tooLong?: 'leave-out' | 'truncate';
}

export interface PrepareWovenOptions
  extends PrepareDataOptions, Pick<PrepareRowOptions, 'maxInferencePoints' | 'minimumPointDistance' | 'delimiterRule'> {
  /** At most so many answers of a conversation, drawn by `random`. @default all */
  maxTurns?: { count: number; random: Random };
}

/** A row that is not there. */
export interface LeftOutRow {
  /** Place of its example. */
  example: number;
  name: string;
  /** Its length; undefined where the prompt alone fills the limit. */
  tokens: number | undefined;
}

export interface PreparedRows<Row> {
  rows: Row[];
  leftOut: LeftOutRow[];
  /** What was left out, in words; undefined if nothing was. */
  note: string | undefined;
}

/**
 * Rows for {@link trainAdapter} and {@link trainDecoder}: one for each example, every answer of the assistant supervised.
 * @throws MemGenError `labels-empty` for an example without an answer, and those of the template.
 */
export function prepareSequences(
  examples: readonly SftExample[],
  { tokenizer, template, ...limits }: PrepareDataOptions,
): PreparedRows<PlainSequence> {
  return prepare(examples, limits, (messages, { name, maxLength }) => {
    const { ids, labels } = encodeConversation(messages, {
      tokenizer,
      maxLength,
      tooLong: 'truncate',
      row: name,
      ...(template !== undefined && { template }),
    });
    return [{ ids, labels }];
  });
}

/**
 * Rows for {@link trainWeaver}: one for each answer of the assistant, which reads everything before it.
 * @throws MemGenError as {@link prepareSequences}.
 */
export function prepareWovenRows(
  examples: readonly SftExample[],
  { maxLength, tooLong, maxTurns, ...encoding }: PrepareWovenOptions,
): PreparedRows<WovenRow> {
  const limits = { ...(maxLength !== undefined && { maxLength }), ...(tooLong !== undefined && { tooLong }) };
  return prepare(examples, limits, (messages, { name, maxLength, index }) => {
    const turns = prepareTurns(messages, { ...encoding, maxLength, name });
    return maxTurns === undefined ? turns : chooseTurns(turns, maxTurns.count, maxTurns.random.fork(`turns ${index}`));
  });
}

type Encode<Row> = (
  messages: readonly ChatMessage[],
  example: { name: string; index: number; maxLength: number },
) => Row[];

function prepare<Row extends PlainSequence>(
  examples: readonly SftExample[],
  { maxLength = 1024, tooLong = 'leave-out' }: Pick<PrepareDataOptions, 'maxLength' | 'tooLong'>,
  encode: Encode<Row>,
): PreparedRows<Row> {
  const rows: Row[] = [];
  const leftOut: LeftOutRow[] = [];
  examples.forEach((example, index) => {
    const name = example.name ?? `example ${index}`;
    const messages = messagesOf(example);
    try {
      for (const row of encode(messages, { name, index, maxLength: tooLong === 'truncate' ? maxLength : Infinity })) {
        if (row.ids.length <= maxLength) rows.push(row);
        else leftOut.push({ example: index, name, tokens: row.ids.length });
      }
    } catch (error) {
      const isCut = tooLong === 'truncate' && messages.some(({ role, content }) => role === 'assistant' && content.trim() !== ''); // prettier-ignore
      if (!isCut || !MemGenError.isInstance(error) || error.code !== 'labels-empty') throw error;
      leftOut.push({ example: index, name, tokens: undefined });
    }
  });
  return { rows, leftOut, note: describe(leftOut, rows.length + leftOut.length, maxLength) };
}

function messagesOf(example: SftExample): readonly ChatMessage[] {
  if ('messages' in example) return example.messages;
  const { system, prompt, completion } = example;
  return [
    ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
    { role: 'user', content: prompt },
    { role: 'assistant', content: completion },
  ];
}

function describe(leftOut: readonly LeftOutRow[], all: number, maxLength: number): string | undefined {
  if (leftOut.length === 0) return undefined;
  const longest = leftOut.reduce((most, { tokens = 0 }) => Math.max(most, tokens), 0);
  const reason =
    longest === 0
      ? `their prompts fill the ${maxLength} tokens`
      : `they are longer than ${maxLength} tokens (the longest has ${longest})`;
  const names = leftOut.slice(0, 3).map(({ name }) => name).join(', '); // prettier-ignore
  const others = leftOut.length > 3 ? ', ...' : '';
  return `${leftOut.length} of ${all} rows were left out: ${reason}: ${names}${others}`;
}
