// Group c, augment: hidden states of the weaver's queries, and the two projections.
import { AttentionColumns, linear, valuesOf, type LatentKind } from '@memgen/core';
import { LatentWeaver, type ProjectionParameters } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { openWeaver } from '../golden-weaver.js';
import type { GoldenTensors } from '../golden-tensors.js';
import { layoutOf } from './memgen-layout.js';

export async function checkAugment(golden: GoldenCase, compare: Comparison): Promise<void> {
  const io = await golden.tensors('io.safetensors');
  const { weaver } = await openWeaver(golden, await layoutOf(golden), await golden.tensors('..', 'state.safetensors'));
  const mask = await io.rows('attention_mask');
  compare.exact('position ids', new AttentionColumns(mask.length).append(mask), await io.rows('position_ids'));

  // The recorded vectors are in the weaver's space before and after, so both projections must change nothing.
  const identity = golden.own(identityProjection(weaver.base.config.hiddenSize));
  const { prompt, inference } = weaver.weights;
  const bare = new LatentWeaver(weaver.base, weaver.adapter, {
    prompt,
    inference,
    reasonerToWeaver: identity.projection,
    weaverToReasoner: identity.projection,
  });
  const embeddings = await matrix(golden, io, 'inputs_embeds');
  for (const kind of ['prompt', 'inference'] as const) {
    const session = golden.own(bare.begin({ batch: mask.length }));
    const got = await valuesOf(() => session.weave(kind, embeddings, mask));
    compare.numbers(
      `hidden states of the ${kind} queries`,
      got,
      await io.floats(`${kind}.hidden_states`),
      tolerances.logits,
    );
    compare.exact(
      `positions of the ${kind} latents`,
      latentPositions(mask, kind, bare),
      await io.rows(`${kind}.latents_position_ids`),
    );
  }

  const { reasonerToWeaver, weaverToReasoner } = weaver.weights;
  const input = await matrix(golden, io, 'proj.in');
  const there = golden.own(tf.tidy(() => linear(input, reasonerToWeaver)));
  const want = await io.floats('proj.reasoner_to_weaver');
  compare.numbers('reasoner_to_weaver', await valuesOf(() => there.clone()), want, tolerances.logits);
  const back = await valuesOf(() => linear(there, weaverToReasoner));
  compare.numbers('weaver_to_reasoner', back, await io.floats('proj.round_trip'), tolerances.logits);
}

/** Positions that queries behind the columns of `mask` have. */
function latentPositions(mask: readonly number[][], kind: LatentKind, weaver: LatentWeaver): number[][] {
  const columns = new AttentionColumns(mask.length);
  columns.append(mask);
  return columns.append(mask.map(() => Array.from({ length: weaver.latentCounts[kind] }, () => 1)));
}

/** A recorded tensor `[..., size]` as `[rows, size]`. */
async function matrix(golden: GoldenCase, io: GoldenTensors, name: string): Promise<tf.Tensor2D> {
  const size = io.shape(name).at(-1)!;
  const values = await io.floats(name);
  return golden.own(tf.tensor2d(values, [values.length / size, size]));
}

function identityProjection(size: number): { projection: ProjectionParameters; dispose(): void } {
  const projection = tf.tidy(() => ({
    weight: tf.variable(tf.eye(size)),
    bias: tf.variable(tf.zeros<tf.Rank.R1>([size])),
  }));
  return {
    projection,
    dispose: () => {
      tf.dispose([projection.weight, projection.bias]);
    },
  };
}
