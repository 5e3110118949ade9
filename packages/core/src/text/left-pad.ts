// Makes a rectangle of sequences of different lengths by padding on the left.

/** `[batch, tokens]` each. */
export interface PaddedBatch {
  ids: number[][];
  /** 1 for a token, 0 for padding. */
  attentionMask: number[][];
}

/** Pads every sequence on the left with `padId` to the length of the longest, so that all end at the same place. */
export function padLeft(sequences: readonly (readonly number[])[], padId: number): PaddedBatch {
  const width = sequences.reduce((widest, { length }) => Math.max(widest, length), 0);
  const pad = <T>(sequence: readonly T[], filler: T): T[] => [
    ...Array<T>(width - sequence.length).fill(filler),
    ...sequence,
  ];
  return {
    ids: sequences.map((sequence) => pad(sequence, padId)),
    attentionMask: sequences.map((sequence) => pad(Array<number>(sequence.length).fill(1), 0)),
  };
}
