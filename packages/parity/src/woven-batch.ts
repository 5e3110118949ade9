// A recorded training batch as the rows that our training forward takes.
import {
  delimiterPlaces,
  findAugmentationPoints,
  maskAssistantHeaders,
  type AugmentationPoint,
  type Tokenizer,
  type WovenRow,
} from '@memgen/core';
import { realTokens } from './padded-rows.js';

/** `[rows, columns]` each, padded. */
export interface PaddedTrainingBatch {
  ids: readonly (readonly number[])[];
  mask: readonly (readonly number[])[];
  /** As the collator gives them: the assistant's headers are labelled. */
  labels: readonly (readonly number[])[];
}

export interface WovenBatchRow extends WovenRow {
  /** Column in the padded batch of each token. */
  columns: number[];
}

/** Rows without padding, their headers masked, with the augmentation points that our own rules find. */
export function wovenBatch(
  { ids, mask, labels }: PaddedTrainingBatch,
  { tokenizer, maxInferencePoints }: { tokenizer: Tokenizer; maxInferencePoints: number },
): WovenBatchRow[] {
  return realTokens(ids, mask).map((real, b) => {
    const supervised = maskAssistantHeaders(
      real.ids,
      real.columns.map((t) => labels[b]![t]!),
      tokenizer,
    );
    const places = delimiterPlaces(tokenizer, real.ids);
    const points = findAugmentationPoints(
      { ids: real.ids, labels: supervised },
      { maxInferencePoints, endsWithDelimiter: (index) => places[index + 1] === true },
    );
    return { ids: real.ids, labels: supervised, points, columns: real.columns };
  });
}

/** The same points as columns of the padded batch, which is how they are recorded. */
export function pointColumns(rows: readonly WovenBatchRow[]): number[][] {
  return rows.map(({ points, columns }) => points.map(({ index }) => columns[index]!));
}

/** Rows with the given points (columns of the padded batch) and labels that need no masking. */
export function wovenBatchAt(
  { ids, mask, labels }: PaddedTrainingBatch,
  points: readonly (readonly number[])[],
): WovenBatchRow[] {
  return realTokens(ids, mask).map(({ ids, columns }, b) => ({
    ids,
    columns,
    labels: columns.map((t) => labels[b]![t]!),
    points: points[b]!.map((column, i): AugmentationPoint => ({
      index: columns.indexOf(column),
      kind: i === 0 ? 'prompt' : 'inference',
    })),
  }));
}
