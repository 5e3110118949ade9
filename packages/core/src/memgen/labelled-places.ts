// Where, in the hidden states of a woven forward pass, each labelled token of each row is predicted.
import * as tf from '@tensorflow/tfjs';
import { gatherRows } from '../ops/gather-rows.js';
import { ignoredLabel } from '../text/encode-conversation.js';
import type { WovenForwardResult, WovenRow } from './woven-forward.js';

interface Place {
  at: number;
  label: number;
  row: number;
}

/** The labelled tokens of a batch, row by row, and the hidden states that predict them, all in one list. */
export class LabelledPlaces {
  private readonly places: readonly Place[];
  private readonly inPrompt: readonly number[];
  private readonly inCompletion: readonly number[];

  constructor(
    private readonly rows: readonly WovenRow[],
    forward: WovenForwardResult,
  ) {
    const prompt: Place[] = [];
    const completion: Place[] = [];
    rows.forEach(({ labels }, row) => {
      labels.forEach((label, i) => {
        if (label === ignoredLabel || i === 0) return;
        const { part, at } = forward.locate(row, i - 1);
        (part === 'prompt' ? prompt : completion).push({ at, label, row });
      });
    });
    // Within a row the prompt's places come before the completion's, so that each row's order is kept.
    this.places = [...prompt, ...completion];
    this.inPrompt = prompt.map(({ at }) => at);
    this.inCompletion = completion.map(({ at }) => at);
  }

  /** The labels, in the order of the list. */
  get labels(): number[] {
    return this.places.map(({ label }) => label);
  }

  /** `[places, hidden]` out of the two parts of the forward's result. */
  hidden(prompt: tf.Tensor2D, completion: tf.Tensor2D): tf.Tensor2D {
    const parts: tf.Tensor2D[] = [];
    if (this.inPrompt.length > 0) parts.push(gatherRows(prompt, this.inPrompt));
    if (this.inCompletion.length > 0) parts.push(gatherRows(completion, this.inCompletion));
    return parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
  }

  /** A list of numbers, row by row. */
  byRow(list: ArrayLike<number>): Float32Array[] {
    const rows: number[][] = this.rows.map(() => []);
    this.places.forEach(({ row }, i) => rows[row]!.push(list[i]!));
    return rows.map((row) => Float32Array.from(row));
  }

  /** Numbers of each row as one list. */
  asList(byRow: readonly ArrayLike<number>[]): Float32Array {
    const next = byRow.map(() => 0);
    return Float32Array.from(this.places, ({ row }) => byRow[row]![next[row]!++]!);
  }
}
