// A weaver's parameters as named arrays in the layout of checkpoint files (projections and adapters `[out, in]`).
import { MemGenError } from '@memgen/common';
import { valuesOf, type ArrayWithShape, type Decoder } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { ProjectionParameters, QueryParameters, WeaverParameters } from './weaver-parameters.js';

/** By the names of `LatentWeaver.parameters()`. */
export type WeaverTensors = ReadonlyMap<string, ArrayWithShape>;

/** Parameters that are stored transposed: two-dimensional ones other than the queries. */
function isTransposed(name: string): boolean {
  return /^(reasoner_to_weaver|weaver_to_reasoner)\.weight$|\.lora_[AB]$/.test(name);
}

/** Values in file layout, of the parameters or of anything that has their names and shapes (gradients, moments). */
export async function readWeaverTensors(
  parameters: ReadonlyMap<string, tf.Tensor>,
): Promise<Map<string, ArrayWithShape>> {
  const tensors = new Map<string, ArrayWithShape>();
  for (const [name, tensor] of parameters) {
    const turns = isTransposed(name);
    const shape = turns ? [...tensor.shape].reverse() : [...tensor.shape];
    tensors.set(name, { shape, data: await valuesOf(() => (turns ? tf.transpose(tensor) : tensor)) });
  }
  return tensors;
}

/**
 * Builds parameters from arrays, strictly.
 * @throws MemGenError `weaver-tensors` that lists missing and unexpected names, or names a wrong shape.
 */
export function weaverFromTensors(base: Decoder, tensors: WeaverTensors, where = 'weaver'): WeaverParameters {
  const unused = new Set(tensors.keys());
  const missing: string[] = [];
  const take = (name: string, rank: number): ArrayWithShape | undefined => {
    const found = tensors.get(name);
    unused.delete(name);
    if (found === undefined) {
      missing.push(name);
      return undefined;
    }
    if (found.shape.length !== rank) throw wrongShape(where, name, found.shape, `${rank} dimensions`);
    return found;
  };
  const names = {
    queries: ['prompt', 'inference'] as const,
    projections: ['reasoner_to_weaver', 'weaver_to_reasoner'] as const,
  };
  const queries = names.queries.map((kind) => ({
    queries: take(`${kind}_query_latents`, 2),
    normWeight: take(`${kind}_latent_ln.weight`, 1),
    normBias: take(`${kind}_latent_ln.bias`, 1),
    scale: take(`${kind}_latent_scale`, 1),
  }));
  const projections = names.projections.map((name) => ({
    weight: take(`${name}.weight`, 2),
    bias: take(`${name}.bias`, 1),
  }));
  const unexpected = [...unused];
  if (missing.length > 0 || unexpected.length > 0) {
    throw new MemGenError({
      code: 'weaver-tensors',
      where,
      message: 'the stored weaver does not hold exactly the tensors of a weaver',
      got: `missing: ${missing.join(', ') || 'none'}; unexpected: ${unexpected.join(', ') || 'none'}`,
    });
  }

  const size = base.config.hiddenSize;
  const reasonerSize = projections[0]!.weight!.shape[1]!;
  const check = (name: string, expected: readonly (number | undefined)[]) => {
    const { shape } = tensors.get(name)!;
    if (shape.every((count, axis) => count === (expected[axis] ?? count))) return;
    throw wrongShape(where, name, shape, `[${expected.map((count) => count ?? 'any').join(', ')}]`);
  };
  for (const name of names.queries) {
    check(`${name}_query_latents`, [undefined, size]);
    check(`${name}_latent_ln.weight`, [size]);
    check(`${name}_latent_ln.bias`, [size]);
    check(`${name}_latent_scale`, [1]);
  }
  check('reasoner_to_weaver.weight', [size, reasonerSize]);
  check('reasoner_to_weaver.bias', [size]);
  check('weaver_to_reasoner.weight', [reasonerSize, size]);
  check('weaver_to_reasoner.bias', [reasonerSize]);
  const kind = (values: (typeof queries)[number]): QueryParameters => ({
    queries: matrix(values.queries!),
    normWeight: vector(values.normWeight!),
    normBias: vector(values.normBias!),
    scale: vector(values.scale!),
  });
  const projection = (values: (typeof projections)[number]): ProjectionParameters => ({
    weight: transposed(values.weight!),
    bias: vector(values.bias!),
  });
  return {
    prompt: kind(queries[0]!),
    inference: kind(queries[1]!),
    reasonerToWeaver: projection(projections[0]!),
    weaverToReasoner: projection(projections[1]!),
  };
}

function wrongShape(where: string, name: string, got: readonly number[], expected: string): MemGenError {
  return new MemGenError({
    code: 'weaver-tensors',
    where: `${where}: ${name}`,
    message: 'a stored tensor has the wrong shape',
    got: `[${got.join(', ')}]`,
    expected,
  });
}

function matrix({ shape, data }: ArrayWithShape): tf.Variable<tf.Rank.R2> {
  return tf.tidy(() => tf.variable(tf.tensor2d(data, [shape[0]!, shape[1]!])));
}

function transposed({ shape, data }: ArrayWithShape): tf.Variable<tf.Rank.R2> {
  return tf.tidy(() => tf.variable(tf.transpose(tf.tensor2d(data, [shape[0]!, shape[1]!]))));
}

function vector({ data }: ArrayWithShape): tf.Variable<tf.Rank.R1> {
  return tf.tidy(() => tf.variable(tf.tensor1d(data)));
}
