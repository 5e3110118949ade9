// From a conversation to a training row: ids, labels and augmentation points.
import type { ChatMessage } from '@memgen/common';
import type { ChatTemplate } from '../text/chat-template.js';
import { delimiterPlaces } from '../text/delimiter-places.js';
import type { DelimiterRule } from '../text/delimiter.js';
import { encodeConversation } from '../text/encode-conversation.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { findAugmentationPoints } from './augmentation-points.js';
import type { WovenRow } from './woven-forward.js';

export interface PrepareRowOptions {
  tokenizer: Tokenizer;
  /** @default MemGen's ChatML */
  template?: ChatTemplate;
  /** Longer sequences lose their end. @default 1024 */
  maxLength?: number;
  /** @default 5 */
  maxInferencePoints?: number;
  /** @default "reference" */
  delimiterRule?: DelimiterRule;
  /** Name of the row in errors. */
  name?: string;
}

/**
 * Only the assistant's words are supervised, its header is not.
 * @throws MemGenError of `encodeConversation` and `findAugmentationPoints`.
 */
export function prepareRow(
  messages: readonly ChatMessage[],
  {
    tokenizer,
    template,
    maxLength = 1024,
    maxInferencePoints = 5,
    delimiterRule = 'reference',
    name,
  }: PrepareRowOptions,
): WovenRow {
  const { ids, labels } = encodeConversation(messages, {
    tokenizer,
    maxLength,
    tooLong: 'truncate',
    ...(template !== undefined && { template }),
    ...(name !== undefined && { row: name }),
  });
  const places = delimiterPlaces(tokenizer, ids, { rule: delimiterRule });
  const points = findAugmentationPoints(
    { ids, labels },
    { maxInferencePoints, endsWithDelimiter: (index) => places[index + 1] === true },
  );
  return { ids, labels, points };
}
