// The policy objective of completions that were written with latents woven in, and the gradients of the weaver.
import { LabelledPlaces, runOne, wovenForward, type Decoder, type Weaver, type WovenRow } from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';
import type { ObjectiveOptions, PassOptions, PolicyActions } from './objective-options.js';
import {
  sequenceLogProbabilities,
  sequenceObjective,
  type CompletionLogProbabilities,
  type PolicySequence,
  type SequenceModel,
  type SequenceObjective,
} from './sequence-objective.js';

export interface WeaverPolicyOptions {
  weaver: Weaver;
  /** That of the sampling: logits are divided by it. @default 1 */
  temperature?: number;
  /** Turns on the adapter's dropout. */
  dropoutSeed?: number;
}

/** Log-probabilities of the labelled tokens, without gradients: of the policy that acted, or of the reference policy. */
export function completionLogProbabilities(
  reasoner: Decoder,
  rows: readonly PolicySequence[],
  options: WeaverPolicyOptions,
): Promise<CompletionLogProbabilities> {
  return sequenceLogProbabilities(wovenModel(reasoner, options), rows);
}

/**
 * A completion to learn from: its labels are the tokens that the model wrote (observations of an environment have none),
 * its points those at which latents were woven in. The lists have one number for each label.
 */
export interface WeaverPolicyRow extends Omit<PolicyActions, 'logProbabilities'> {
  sequence: PolicySequence;
}

export interface WeaverObjectiveOptions extends WeaverPolicyOptions, ObjectiveOptions, PassOptions {}

export type WeaverObjective = SequenceObjective;

/**
 * Loss and gradients with respect to the weaver's parameters; the forward pass is that of supervised training. Every tensor
 * but the returned gradients is freed.
 * @throws MemGenError of {@link policyObjective}, and `label-mask` for a row without a prompt or a label.
 */
export function weaverObjective(
  reasoner: Decoder,
  rows: readonly WeaverPolicyRow[],
  { weaver, temperature, dropoutSeed, gradientCheckpointing = true, ...objective }: WeaverObjectiveOptions,
): Promise<WeaverObjective> {
  const model = wovenModel(reasoner, {
    weaver,
    ...(temperature !== undefined && { temperature }),
    ...(dropoutSeed !== undefined && { dropoutSeed }),
  });
  return sequenceObjective(model, rows, { ...objective, gradientCheckpointing });
}

function wovenModel(reasoner: Decoder, { weaver, temperature = 1, dropoutSeed }: WeaverPolicyOptions): SequenceModel {
  return {
    head: reasoner.weights.head,
    temperature,
    read: (sequences, execution) =>
      passesOf(sequences).map((members) => {
        const rows = members.map((member) => sequences[member]!);
        const forward = wovenForward(reasoner, rows, {
          execution,
          weaver,
          ...(dropoutSeed !== undefined && { dropoutSeed }),
        });
        const places = new LabelledPlaces(rows, forward);
        const hidden = runOne(
          execution,
          ([prompt, completion]) => places.hidden(prompt as tf.Tensor2D, completion as tf.Tensor2D),
          [forward.prompt, forward.completion],
        );
        return { members, places, hidden };
      }),
  };
}

/**
 * A weaver's call is of one kind for all rows of a pass, so sequences whose prompt the trigger refused and that were woven
 * into later read in a pass of their own.
 */
function passesOf(sequences: readonly WovenRow[]): number[][] {
  const all = sequences.map((_, i) => i);
  const late = all.filter((i) => sequences[i]!.points[0]?.kind === 'inference');
  const others = all.filter((i) => sequences[i]!.points[0]?.kind !== 'inference');
  return [others, late].filter(({ length }) => length > 0);
}
