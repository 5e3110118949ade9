// What an aligned weaver starts from: sizes and vectors of its base model.
import { MemGenError } from '@memgen/common';
import { valuesOf, type Decoder } from '@memgen/core';

/** What `"aligned"` starts from. */
export interface Alignment {
  /** Vectors that the queries start as, `[tokens, hidden]` row-major; taken in turn where there are more queries. */
  queryVectors: Float32Array;
  /** Root mean square of the reasoner's embeddings. */
  embeddingSize: number;
  /** Root mean square of the base model's final hidden states: that of its last norm's weight. */
  hiddenSize: number;
  /**
   * Vector `[hidden]` that all latents start close to. Latents that start as something the reasoner knows keep its
   * gradients alive; those of an arbitrary direction can push it where nothing is learned.
   */
  latentVector?: Float32Array | undefined;
}

export interface AlignmentTokens {
  /** Tokens whose embeddings the queries start as: a short text of the kind that the latents are to stand for. */
  queryIds: readonly number[];
  /** A token whose embedding all latents start close to. */
  latentId?: number | undefined;
}

/**
 * Reads what the initialization `"aligned"` needs of the base model.
 * @throws MemGenError `weaver-initialization` without query tokens, `token-id` for one that the model does not have.
 */
export async function alignmentTo(base: Decoder, { queryIds, latentId }: AlignmentTokens): Promise<Alignment> {
  if (queryIds.length === 0) {
    throw new MemGenError({
      code: 'weaver-initialization',
      message: 'an aligned weaver needs tokens that its queries start as',
      hint: 'give the ids of a short text of the kind that the latents are to stand for',
    });
  }
  const everyId = Array.from({ length: base.config.vocabularySize }, (_, id) => id);
  return {
    queryVectors: await valuesOf(() => base.embed(queryIds)),
    embeddingSize: rootMeanSquare(await valuesOf(() => base.embed(everyId))),
    hiddenSize: rootMeanSquare(await valuesOf(() => base.weights.finalNorm)),
    latentVector: latentId === undefined ? undefined : await valuesOf(() => base.embed([latentId])),
  };
}

function rootMeanSquare(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
}
