// From a conversation to training rows: ids, labels and augmentation points.
import { MemGenError, type ChatMessage } from '@memgen/common';
import type { ChatTemplate } from '../text/chat-template.js';
import { delimiterPlaces } from '../text/delimiter-places.js';
import type { DelimiterRule } from '../text/delimiter.js';
import { encodeConversation } from '../text/encode-conversation.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { findAugmentationPoints, type AugmentationPoint, type LabelledSequence } from './augmentation-points.js';
import { splitTurns } from './conversation-turns.js';
import type { LatentKind } from './weaver.js';
import type { WovenRow } from './woven-forward.js';

export interface PrepareRowOptions {
  tokenizer: Tokenizer;
  /** @default MemGen's ChatML */
  template?: ChatTemplate;
  /** Longer sequences lose their end. @default 1024 */
  maxLength?: number;
  /** Most positions of the reasoner (`contextLength`): tokens and latents of a row have to fit. @default no limit */
  contextLength?: number;
  /** Latents of the weaver that is to be trained, which take positions of the context. @default none */
  latentCounts?: Readonly<Record<LatentKind, number>>;
  /** @default 5 */
  maxInferencePoints?: number;
  /** Fewest tokens from one point to the next, that of the prompt included. @default 1 */
  minimumPointDistance?: number;
  /** @default "reference" */
  delimiterRule?: DelimiterRule;
  /** Name of the row in errors. */
  name?: string;
}

/**
 * A conversation with one answer of the assistant. Only the assistant's words are supervised, its header is not.
 * @throws MemGenError of `encodeConversation`, `context-length` where the latents leave no room for a token, and `label-mask` unless there is exactly one answer.
 */
export function prepareRow(messages: readonly ChatMessage[], options: PrepareRowOptions): WovenRow {
  const encoded = encode(messages, options);
  return { ...encoded, points: pointsOf(encoded, encoded.ids, options) };
}

/**
 * A conversation with any number of answers: one row for each, which reads everything before it.
 * @throws MemGenError of `encodeConversation`, and `context-length` as {@link prepareRow}.
 */
export function prepareTurns(messages: readonly ChatMessage[], options: PrepareRowOptions): WovenRow[] {
  const encoded = encode(messages, options);
  return splitTurns(encoded).map((turn) => ({ ...turn, points: pointsOf(turn, encoded.ids, options) }));
}

function encode(messages: readonly ChatMessage[], options: PrepareRowOptions): LabelledSequence {
  const { tokenizer, template, maxLength = 1024, name } = options;
  const { ids, labels } = encodeConversation(messages, {
    tokenizer,
    maxLength: Math.min(maxLength, tokensThatFit(options)),
    tooLong: 'truncate',
    ...(template !== undefined && { template }),
    ...(name !== undefined && { row: name }),
  });
  return { ids, labels };
}

/** Most tokens of a row whose latents fit too, at however many points they are woven in. */
function tokensThatFit({
  contextLength = Infinity,
  latentCounts = { prompt: 0, inference: 0 },
  maxInferencePoints = 5,
  name,
}: PrepareRowOptions): number {
  const { prompt, inference } = latentCounts;
  const left = contextLength - prompt;
  // There are at most as many points as the options allow, and at most one for each token.
  const tokens = Math.max(
    inference === 0 ? left : left - maxInferencePoints * inference,
    Math.floor(left / (1 + inference)),
  );
  if (tokens >= 1) return tokens;
  throw new MemGenError({
    code: 'context-length',
    where: name,
    message: 'the latents leave no room for a token',
    got: `${prompt} latents for the prompt, ${inference} for each later point`,
    expected: `fewer than the ${contextLength} positions of the context`,
  });
}

function pointsOf(
  sequence: LabelledSequence,
  ids: readonly number[],
  { tokenizer, maxInferencePoints = 5, minimumPointDistance = 1, delimiterRule = 'reference' }: PrepareRowOptions,
): AugmentationPoint[] {
  const places = delimiterPlaces(tokenizer, ids, { rule: delimiterRule });
  return findAugmentationPoints(sequence, {
    maxInferencePoints,
    minimumPointDistance,
    endsWithDelimiter: (index) => places[index + 1] === true,
  });
}
