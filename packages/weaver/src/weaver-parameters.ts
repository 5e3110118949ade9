// What a weaver learns besides its adapter: query latents, their norms and scales, and the two projections.
import { MemGenError, type Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { Alignment } from './alignment.js';

/** Queries of one kind: `LayerNorm(queries) * scale`. */
export interface QueryParameters {
  /** `[latents, weaverHidden]` */
  queries: tf.Variable<tf.Rank.R2>;
  normWeight: tf.Variable<tf.Rank.R1>;
  normBias: tf.Variable<tf.Rank.R1>;
  /** `[1]` */
  scale: tf.Variable<tf.Rank.R1>;
}

/** `[in, out]` weight and `[out]` bias. */
export interface ProjectionParameters {
  weight: tf.Variable<tf.Rank.R2>;
  bias: tf.Variable<tf.Rank.R1>;
}

export interface WeaverParameters {
  prompt: QueryParameters;
  inference: QueryParameters;
  reasonerToWeaver: ProjectionParameters;
  weaverToReasoner: ProjectionParameters;
}

/**
 * How new parameters are drawn.
 * - `"reference"`: queries standard normal, projections uniform in +-1/sqrt(in), as PyTorch's Linear.
 * - `"small"`: queries normal with deviation 0.02, all else the same.
 * - `"aligned"`: the weaver starts out reading and writing the reasoner's own vectors. Projections are multiples of the
 *   identity (the two hidden sizes must be equal), latents start as long as embeddings are, and queries start as the
 *   embeddings of given tokens (prompt tuning from text, Lester et al. 2021). Learns with far fewer rows.
 */
export type InitializationStyle = 'reference' | 'small' | 'aligned';

/** Share of the hidden state in latents that start close to a given vector. */
const deviationFromVector = 0.05;

export interface WeaverSizes {
  reasonerHidden: number;
  weaverHidden: number;
  promptLatents: number;
  inferenceLatents: number;
  style: InitializationStyle;
  /** Needed for the style `"aligned"`. */
  alignment?: Alignment | undefined;
}

export function initializeParameters(sizes: WeaverSizes, random: Random): WeaverParameters {
  const { reasonerHidden, weaverHidden, promptLatents, inferenceLatents, style, alignment } = sizes;
  if (style === 'aligned') return alignedParameters(sizes, alignment);
  const deviation = style === 'reference' ? 1 : 0.02;
  return {
    prompt: newQueries(promptLatents, weaverHidden, deviation, random.fork('prompt')),
    inference: newQueries(inferenceLatents, weaverHidden, deviation, random.fork('inference')),
    reasonerToWeaver: newProjection(reasonerHidden, weaverHidden, random.fork('reasoner_to_weaver')),
    weaverToReasoner: newProjection(weaverHidden, reasonerHidden, random.fork('weaver_to_reasoner')),
  };
}

function alignedParameters(
  { reasonerHidden, weaverHidden, promptLatents, inferenceLatents }: WeaverSizes,
  alignment: Alignment | undefined,
): WeaverParameters {
  if (alignment === undefined) {
    throw new MemGenError({
      code: 'weaver-initialization',
      message: 'an aligned weaver needs the vectors that it starts from',
      hint: 'read them with alignmentTo(base, { queryIds })',
    });
  }
  if (reasonerHidden !== weaverHidden) {
    throw new MemGenError({
      code: 'weaver-initialization',
      message: 'an aligned weaver shares the hidden size of its reasoner',
      got: `${reasonerHidden} and ${weaverHidden}`,
      expected: 'equal sizes',
      hint: 'use the initialization "reference"',
    });
  }
  const { queryVectors, embeddingSize, hiddenSize, latentVector } = alignment;
  const size = weaverHidden;
  const queries = (count: number): QueryParameters => {
    const rows = queryVectors.length / size;
    const values = Float32Array.from({ length: count * size }, (_, i) => {
      const row = Math.floor(i / size) % rows;
      return queryVectors[row * size + (i % size)]!;
    });
    return tf.tidy(() => ({
      queries: tf.variable(tf.tensor2d(values, [count, size])),
      normWeight: tf.variable(tf.ones<tf.Rank.R1>([size])),
      normBias: tf.variable(tf.zeros<tf.Rank.R1>([size])),
      scale: tf.variable(tf.fill<tf.Rank.R1>([1], embeddingSize)),
    }));
  };
  const projection = (scale: number, bias: Float32Array = new Float32Array(size)): ProjectionParameters =>
    tf.tidy(() => ({
      weight: tf.variable(tf.mul<tf.Tensor2D>(tf.eye(size), scale)),
      bias: tf.variable(tf.tensor1d(bias)),
    }));
  return {
    prompt: queries(promptLatents),
    inference: queries(inferenceLatents),
    reasonerToWeaver: projection(1),
    weaverToReasoner:
      latentVector === undefined
        ? projection(embeddingSize / hiddenSize)
        : projection(deviationFromVector, latentVector),
  };
}

function newQueries(count: number, size: number, deviation: number, random: Random): QueryParameters {
  const values = Float32Array.from({ length: count * size }, () => random.normal() * deviation);
  return tf.tidy(() => ({
    queries: tf.variable(tf.tensor2d(values, [count, size])),
    normWeight: tf.variable(tf.ones<tf.Rank.R1>([size])),
    normBias: tf.variable(tf.zeros<tf.Rank.R1>([size])),
    scale: tf.variable(tf.ones<tf.Rank.R1>([1])),
  }));
}

function newProjection(input: number, output: number, random: Random): ProjectionParameters {
  const bound = 1 / Math.sqrt(input);
  const uniform = (length: number) => Float32Array.from({ length }, () => (random.float() * 2 - 1) * bound);
  return tf.tidy(() => ({
    weight: tf.variable(tf.tensor2d(uniform(input * output), [input, output])),
    bias: tf.variable(tf.tensor1d(uniform(output))),
  }));
}

/** Variables by the names that the reference's weaver.bin and projs.bin give them. */
export function namedParameters(weights: WeaverParameters): Map<string, tf.Variable> {
  const { prompt, inference, reasonerToWeaver, weaverToReasoner } = weights;
  return new Map<string, tf.Variable>([
    ['prompt_query_latents', prompt.queries],
    ['prompt_latent_ln.weight', prompt.normWeight],
    ['prompt_latent_ln.bias', prompt.normBias],
    ['prompt_latent_scale', prompt.scale],
    ['inference_query_latents', inference.queries],
    ['inference_latent_ln.weight', inference.normWeight],
    ['inference_latent_ln.bias', inference.normBias],
    ['inference_latent_scale', inference.scale],
    ['reasoner_to_weaver.weight', reasonerToWeaver.weight],
    ['reasoner_to_weaver.bias', reasonerToWeaver.bias],
    ['weaver_to_reasoner.weight', weaverToReasoner.weight],
    ['weaver_to_reasoner.bias', weaverToReasoner.bias],
  ]);
}
