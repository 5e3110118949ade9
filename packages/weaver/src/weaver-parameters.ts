// What a weaver learns besides its adapter: query latents, their norms and scales, and the two projections.
import { type Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';

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
 * - `"small"`: queries normal with deviation 0.02, all else the same; what the tiny world's recipe uses.
 */
export type InitializationStyle = 'reference' | 'small';

export interface WeaverSizes {
  reasonerHidden: number;
  weaverHidden: number;
  promptLatents: number;
  inferenceLatents: number;
  style: InitializationStyle;
}

export function initializeParameters(sizes: WeaverSizes, random: Random): WeaverParameters {
  const { reasonerHidden, weaverHidden, promptLatents, inferenceLatents, style } = sizes;
  const deviation = style === 'reference' ? 1 : 0.02;
  return {
    prompt: newQueries(promptLatents, weaverHidden, deviation, random.fork('prompt')),
    inference: newQueries(inferenceLatents, weaverHidden, deviation, random.fork('inference')),
    reasonerToWeaver: newProjection(reasonerHidden, weaverHidden, random.fork('reasoner_to_weaver')),
    weaverToReasoner: newProjection(weaverHidden, reasonerHidden, random.fork('weaver_to_reasoner')),
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
