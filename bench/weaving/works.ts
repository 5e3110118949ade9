// What is generated and trained in the measurements of weaving.

/** Enough tokens for the most points. */
export const pointsWork = { prompt: 128, newTokens: 256, counts: [0, 5, 20, 50] };

export type StepWork = {
  batch: number;
  tokens: number;
  /** 1 computes activations again in the backward pass, 0 keeps them. */
  recomputing: number;
};

/**
 * As the official figure was taken: 4 rows of 128 prompt and 128 completion tokens, 5 points and the prompt's; and a step of
 * rows as long as those of GSM8K are allowed to be.
 */
export const stepWorks: readonly StepWork[] = [
  { batch: 4, tokens: 256, recomputing: 1 },
  { batch: 4, tokens: 256, recomputing: 0 },
  { batch: 8, tokens: 1024, recomputing: 1 },
];
