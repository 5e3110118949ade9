// The sizes that are measured, here and by the reference.

export interface DecodingCase {
  batch: number;
  /** Length of the prompts. */
  after: number;
  /** New tokens. */
  tokens: number;
  /** Prompts of many rows take long to read; such a case runs once. */
  heavy: boolean;
}

export interface Cases {
  prefill: readonly number[];
  decoding: readonly DecodingCase[];
  training: readonly number[];
  /** Lengths at which the cache is weighed. */
  cache: readonly number[];
  repetitions: number;
}

export function casesOf(quick: boolean): Cases {
  const cases = (after: number, tokens: number, batches: readonly number[]) =>
    batches.map((batch): DecodingCase => ({ batch, after, tokens, heavy: batch * after > 2048 }));
  return {
    prefill: quick ? [32, 256] : [32, 256, 1024],
    decoding: [...cases(128, 128, quick ? [1, 4] : [1, 4, 16]), ...cases(1024, 64, quick ? [1] : [1, 4, 16])],
    training: quick ? [256] : [256, 1024],
    cache: [256, 512, 1024],
    repetitions: quick ? 1 : 3,
  };
}
