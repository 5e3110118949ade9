// The policy objective of completions that were written with latents woven in, and the gradients of the weaver.
import { eager, LabelledPlaces, Tape, wovenForward, type Decoder, type Weaver, type WovenRow } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { policyObjective, type ObjectiveMetrics } from './objective.js';
import type { ObjectiveOptions, PolicyActions } from './objective-options.js';
import { tokenLogProbabilities } from './token-log-probabilities.js';

export interface WeaverPolicyOptions {
  weaver: Weaver;
  /** That of the sampling: logits are divided by it. @default 1 */
  temperature?: number;
  /** Turns on the adapter's dropout. */
  dropoutSeed?: number;
}

/** One number for each labelled token, row by row. */
export interface CompletionLogProbabilities {
  logProbabilities: Float32Array[];
  /** Of the distributions that the tokens came from, in nats. */
  entropies: Float32Array[];
}

/** Log-probabilities of the labelled tokens, without gradients: of the policy that acted, or of the reference policy. */
export function completionLogProbabilities(
  reasoner: Decoder,
  rows: readonly WovenRow[],
  { weaver, temperature = 1, dropoutSeed }: WeaverPolicyOptions,
): CompletionLogProbabilities {
  return tf.tidy(() => {
    const forward = wovenForward(reasoner, rows, {
      execution: eager,
      weaver,
      ...(dropoutSeed !== undefined && { dropoutSeed }),
    });
    const places = new LabelledPlaces(rows, forward);
    const hidden = places.hidden(forward.prompt, forward.completion);
    const result = tokenLogProbabilities(hidden, places.labels, reasoner.weights.head, { temperature });
    return {
      logProbabilities: places.byRow(result.logProbabilities.dataSync()),
      entropies: places.byRow(result.entropies.dataSync()),
    };
  });
}

/**
 * A completion to learn from: its labels are the tokens that the model wrote (observations of an environment have none),
 * its points those at which latents were woven in. The lists have one number for each label.
 */
export interface WeaverPolicyRow extends Omit<PolicyActions, 'logProbabilities'> {
  sequence: WovenRow;
}

export interface WeaverObjectiveOptions extends WeaverPolicyOptions, ObjectiveOptions {
  /** Recompute each layer in the backward pass instead of keeping its activations. @default true */
  gradientCheckpointing?: boolean;
}

export interface WeaverObjective extends CompletionLogProbabilities {
  loss: number;
  /** By variable; the caller disposes. */
  gradients: Map<tf.Variable, tf.Tensor>;
  /** `entropy` is the mean over the actions that count. */
  metrics: ObjectiveMetrics & { entropy: number };
}

/**
 * Loss and gradients with respect to the weaver's parameters; the forward pass is that of supervised training. Every tensor
 * but the returned gradients is freed.
 * @throws MemGenError of {@link policyObjective}, and `label-mask` for a row without a prompt or a label.
 */
export function weaverObjective(
  reasoner: Decoder,
  rows: readonly WeaverPolicyRow[],
  { weaver, temperature = 1, dropoutSeed, gradientCheckpointing = true, ...objective }: WeaverObjectiveOptions,
): WeaverObjective {
  const sequences = rows.map(({ sequence }) => sequence);
  const tape = new Tape({ checkpointing: gradientCheckpointing });
  try {
    const forward = wovenForward(reasoner, sequences, {
      execution: tape,
      weaver,
      ...(dropoutSeed !== undefined && { dropoutSeed }),
    });
    const places = new LabelledPlaces(sequences, forward);
    const hidden = tape.run(
      ([prompt, completion]) => [places.hidden(prompt as tf.Tensor2D, completion as tf.Tensor2D)],
      [forward.prompt, forward.completion],
    )[0] as tf.Tensor2D;
    const { head } = reasoner.weights;
    // The tape owns them: they are freed with it, whatever happens next.
    const [logProbabilities, entropies, hiddenGradients] = tape.constants(() => {
      const result = tokenLogProbabilities(hidden, places.labels, head, { temperature, withGradients: true });
      return [result.logProbabilities, result.entropies, result.hiddenGradients!];
    }) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor2D];
    const current = {
      logProbabilities: places.byRow(logProbabilities.dataSync()),
      entropies: places.byRow(entropies.dataSync()),
    };
    const actions = rows.map(({ old, reference, mask, advantage }, b) => ({
      logProbabilities: current.logProbabilities[b]!,
      old,
      reference,
      mask,
      advantage,
    }));
    const { loss, gradients: derivatives, metrics } = policyObjective(actions, objective);
    const [gradient] = tape.constants(() => {
      const list = places.asList(derivatives);
      return [tf.mul(hiddenGradients, tf.tensor2d(list, [list.length, 1]))];
    });
    const gradients = tape.backward([{ output: hidden, gradient: gradient! }]);
    return { loss, gradients, metrics: { ...metrics, entropy: meanEntropy(current.entropies, rows) }, ...current };
  } finally {
    tape.dispose();
  }
}

function meanEntropy(entropies: readonly Float32Array[], rows: readonly WeaverPolicyRow[]): number {
  const counted = entropies.flatMap((row, b) => Array.from(row).filter((_, t) => rows[b]!.mask?.[t] !== 0));
  return counted.reduce((sum, entropy) => sum + entropy, 0) / Math.max(1, counted.length);
}
