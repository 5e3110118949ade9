// Loss and gradients of a batch of woven rows: mean cross entropy over all supervised tokens.
import * as tf from '@tensorflow/tfjs';
import type { Decoder } from '../model/decoder.js';
import { tokenLossWithGradients } from '../ops/token-loss.js';
import { eager } from '../training/execution.js';
import { Tape } from '../training/tape.js';
import { readLoss, valuesOf } from '../training/values-of.js';
import { ignoredLabel } from '../text/encode-conversation.js';
import { LabelledPlaces } from './labelled-places.js';
import type { Weaver } from './weaver.js';
import { wovenForward, type WovenRow } from './woven-forward.js';

export interface TrainingLossOptions {
  weaver?: Weaver | undefined;
  /** Recompute each layer in the backward pass instead of keeping its activations. @default true */
  gradientCheckpointing?: boolean;
  /** Divides the loss: the supervised tokens of the whole optimizer step. @default those of these rows */
  normalizer?: number;
  /** Turns on the adapter's dropout. */
  dropoutSeed?: number;
  /** Called between the forward and the backward pass, e.g. to take the time. */
  onForward?: (() => void) | undefined;
}

export interface TrainingLoss {
  /** Sum of the token losses divided by the normalizer. */
  loss: number;
  /** Supervised tokens of these rows. */
  tokens: number;
  /** By variable; the caller disposes. */
  gradients: Map<tf.Variable, tf.Tensor>;
}

function countTokens(rows: readonly WovenRow[]): number {
  return rows.reduce((sum, row) => sum + row.labels.filter((label, i) => i > 0 && label !== ignoredLabel).length, 0);
}

/**
 * Loss and gradients with respect to the weaver's parameters. Every tensor but the returned gradients is freed, also when
 * the promise is rejected.
 */
export async function trainingLoss(
  reasoner: Decoder,
  rows: readonly WovenRow[],
  { weaver, gradientCheckpointing = true, normalizer, dropoutSeed, onForward }: TrainingLossOptions = {},
): Promise<TrainingLoss> {
  const tokens = countTokens(rows);
  const scale = 1 / (normalizer ?? tokens);
  const { head } = reasoner.weights;

  const tape = new Tape({ checkpointing: gradientCheckpointing });
  try {
    const result = wovenForward(reasoner, rows, {
      execution: tape,
      weaver,
      ...(dropoutSeed !== undefined && { dropoutSeed }),
    });
    const places = new LabelledPlaces(rows, result);
    const hidden = tape.run(
      ([prompt, completion]) => [places.hidden(prompt as tf.Tensor2D, completion as tf.Tensor2D)],
      [result.prompt, result.completion],
    )[0] as tf.Tensor2D;
    const [sum, gradient] = tape.constants(() => {
      const { loss, hiddenGradient } = tokenLossWithGradients(hidden, places.labels, head);
      return [loss, tf.mul(hiddenGradient, scale)];
    }) as [tf.Scalar, tf.Tensor2D];
    onForward?.();
    const gradients = tape.backward([{ output: hidden, gradient }]);
    return { loss: (await readLoss(sum, gradients)) * scale, tokens, gradients };
  } finally {
    tape.dispose();
  }
}

/** Mean loss of the rows without gradients, e.g. for validation. */
export async function evaluationLoss(
  reasoner: Decoder,
  rows: readonly WovenRow[],
  weaver?: Weaver,
): Promise<{ loss: number; tokens: number }> {
  const tokens = countTokens(rows);
  const [sum] = await valuesOf(() => {
    const result = wovenForward(reasoner, rows, { execution: eager, weaver });
    const places = new LabelledPlaces(rows, result);
    const hidden = places.hidden(result.prompt, result.completion);
    return tokenLossWithGradients(hidden, places.labels, reasoner.weights.head).loss;
  });
  return { loss: sum! / tokens, tokens };
}
