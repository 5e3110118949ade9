// A recorded training batch as the rows that our training forward takes.
import {
  delimiterPlaces,
  findAugmentationPoints,
  maskAssistantHeaders,
  splitTurns,
  type AugmentationPoint,
  type LabelledSequence,
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
export function wovenBatch(batch: PaddedTrainingBatch, options: WovenBatchOptions): WovenBatchRow[] {
  return supervisedRows(batch, options.tokenizer).map((row) => ({ ...row, points: pointsOf(row, row.ids, options) }));
}

/** The same of conversations: one row for each of the assistant's answers. The index tells which conversation. */
export function wovenTurns(
  batch: PaddedTrainingBatch,
  options: WovenBatchOptions,
): (WovenBatchRow & { row: number })[] {
  return supervisedRows(batch, options.tokenizer).flatMap(({ ids, labels, columns }, row) =>
    splitTurns({ ids, labels }).map((turn) => ({
      ...turn,
      row,
      columns: columns.slice(0, turn.ids.length),
      points: pointsOf(turn, ids, options),
    })),
  );
}

export interface WovenBatchOptions {
  tokenizer: Tokenizer;
  maxInferencePoints: number;
}

function supervisedRows(
  { ids, mask, labels }: PaddedTrainingBatch,
  tokenizer: Tokenizer,
): (LabelledSequence & { ids: number[]; columns: number[] })[] {
  return realTokens(ids, mask).map((real, b) => {
    const own = real.columns.map((t) => labels[b]![t]!);
    return { ids: real.ids, columns: real.columns, labels: maskAssistantHeaders(real.ids, own, tokenizer) };
  });
}

function pointsOf(
  sequence: LabelledSequence,
  ids: readonly number[],
  { tokenizer, maxInferencePoints }: WovenBatchOptions,
): AugmentationPoint[] {
  const places = delimiterPlaces(tokenizer, ids);
  return findAugmentationPoints(sequence, {
    maxInferencePoints,
    endsWithDelimiter: (index) => places[index + 1] === true,
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
