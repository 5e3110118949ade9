// What the supervised trainers train: parameters, and the loss of rows with gradients or without.
import type { PlainSequence, TrainingLoss } from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';

export interface SupervisedGradientOptions {
  /** Divides the sum of the token losses. @default the supervised tokens of these rows */
  normalizer?: number;
  /** For the adapter's dropout, if it has any. */
  dropoutSeed?: number;
  /** @default true */
  gradientCheckpointing?: boolean;
  /** Called between the forward and the backward pass. */
  onForward?: (() => void) | undefined;
}

/** A model and what of it is trained; weaver, adapter and whole decoder each have one. */
export interface SupervisedModel<Row extends PlainSequence> {
  /** Everything that is trained, by a stable name. */
  parameters(): ReadonlyMap<string, tf.Variable>;
  /** The caller disposes of the gradients. */
  gradients(rows: readonly Row[], options?: SupervisedGradientOptions): Promise<TrainingLoss>;
  /** Mean loss of the supervised tokens and their number, without dropout. */
  loss(rows: readonly Row[]): Promise<{ loss: number; tokens: number }>;
  /** Writes what a checkpoint should hold for use, beside the state that training goes on from. */
  save(folder: string): Promise<void>;
}

/** Tokens that count: labelled ones, except a first token, which nothing predicts. */
export function supervisedTokens({ labels }: PlainSequence): number {
  return labels.filter((label, i) => i > 0 && label >= 0).length;
}
