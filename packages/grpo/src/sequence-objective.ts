// The policy objective of tokens that a model wrote, whatever made the hidden states that predict them.
import { eager, Tape, type Execution, type Gradients, type LabelledPlaces, type WovenRow } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { policyObjective, type ObjectiveMetrics } from './objective.js';
import type { ObjectiveOptions, PolicyActions } from './objective-options.js';
import { tokenLogProbabilities } from './token-log-probabilities.js';

/**
 * What one row learns from: a sequence, or one for each turn of an episode, each of which reads all that was before it. The
 * labels are the tokens that the model wrote.
 */
export type PolicySequence = WovenRow | readonly WovenRow[];

export function turnsOf(sequence: PolicySequence): readonly WovenRow[] {
  return 'ids' in sequence ? [sequence] : sequence;
}

/** One number for each labelled token, row by row. */
export interface CompletionLogProbabilities {
  logProbabilities: Float32Array[];
  /** Of the distributions that the tokens came from, in nats. */
  entropies: Float32Array[];
}

/** One pass of some sequences through a model. */
export interface LabelledPass {
  /** Indices of its sequences among all of them. */
  members: readonly number[];
  places: LabelledPlaces;
  /** States that predict the labels of these sequences, in the order of `places`. */
  hidden: tf.Tensor2D;
}

export interface SequenceModel {
  /** Runs the model over all sequences. */
  read: (sequences: readonly WovenRow[], execution: Execution) => LabelledPass[];
  /** `[hidden, vocabulary]`, frozen. */
  head: tf.Tensor2D;
  /** That of the sampling: logits are divided by it. */
  temperature: number;
}

/** Without gradients. */
export function sequenceLogProbabilities(
  { read, head, temperature }: SequenceModel,
  rows: readonly PolicySequence[],
): CompletionLogProbabilities {
  const sequences = rows.flatMap(turnsOf);
  const bySequence = new Numbers(sequences.length);
  tf.tidy(() => {
    for (const pass of read(sequences, eager)) {
      const result = tokenLogProbabilities(pass.hidden, pass.places.labels, head, { temperature });
      bySequence.take(pass, result.logProbabilities, result.entropies);
    }
  });
  return bySequence.join(rows);
}

export interface SequenceObjective extends CompletionLogProbabilities {
  loss: number;
  /** By variable; the caller disposes. */
  gradients: Gradients;
  /** `entropy` is the mean over the actions that count. */
  metrics: ObjectiveMetrics & { entropy: number };
}

/** With gradients of all variables that the model's pieces name. Every tensor but the returned gradients is freed. */
export function sequenceObjective(
  { read, head, temperature }: SequenceModel,
  rows: readonly (Omit<PolicyActions, 'logProbabilities'> & { sequence: PolicySequence })[],
  { gradientCheckpointing, ...objective }: ObjectiveOptions & { gradientCheckpointing: boolean },
): SequenceObjective {
  const turns = rows.map(({ sequence }) => sequence);
  const sequences = turns.flatMap(turnsOf);
  const tape = new Tape({ checkpointing: gradientCheckpointing });
  try {
    const bySequence = new Numbers(sequences.length);
    const passes = read(sequences, tape).map((pass) => {
      // The tape owns them: they are freed with it, whatever happens next.
      const [logProbabilities, entropies, hiddenGradients] = tape.constants(() => {
        const result = tokenLogProbabilities(pass.hidden, pass.places.labels, head, {
          temperature,
          withGradients: true,
        });
        return [result.logProbabilities, result.entropies, result.hiddenGradients!];
      }) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor2D];
      bySequence.take(pass, logProbabilities, entropies);
      return { ...pass, hiddenGradients };
    });
    const current = bySequence.join(turns);
    const actions = rows.map(({ old, reference, mask, advantage }, b) => ({
      logProbabilities: current.logProbabilities[b]!,
      old,
      reference,
      mask,
      advantage,
    }));
    const { loss, gradients: derivatives, metrics } = policyObjective(actions, objective);
    const slopes = bySequence.split(turns, derivatives);
    const seeds = passes.map(({ members, places, hidden, hiddenGradients }) => {
      const [gradient] = tape.constants(() => {
        const list = places.asList(members.map((member) => slopes[member]!));
        return [tf.mul(hiddenGradients, tf.tensor2d(list, [list.length, 1]))];
      });
      return { output: hidden, gradient: gradient! };
    });
    const gradients = tape.backward(seeds);
    return { loss, gradients, metrics: { ...metrics, entropy: meanEntropy(current.entropies, rows) }, ...current };
  } finally {
    tape.dispose();
  }
}

/** Numbers of labelled tokens, by sequence and by row. */
class Numbers {
  private readonly logProbabilities: Float32Array[];
  private readonly entropies: Float32Array[];

  constructor(sequences: number) {
    this.logProbabilities = Array.from({ length: sequences }, () => new Float32Array());
    this.entropies = [...this.logProbabilities];
  }

  take({ members, places }: LabelledPass, logProbabilities: tf.Tensor1D, entropies: tf.Tensor1D): void {
    places.byRow(logProbabilities.dataSync()).forEach((values, i) => (this.logProbabilities[members[i]!] = values));
    places.byRow(entropies.dataSync()).forEach((values, i) => (this.entropies[members[i]!] = values));
  }

  /** Those of the turns of a row one after the other. */
  join(rows: readonly PolicySequence[]): CompletionLogProbabilities {
    let next = 0;
    const spans = rows.map((row) => {
      const from = next;
      next += turnsOf(row).length;
      return [from, next] as const;
    });
    const joined = (parts: readonly Float32Array[]) =>
      spans.map(([from, to]) => Float32Array.from(parts.slice(from, to).flatMap((part) => [...part])));
    return { logProbabilities: joined(this.logProbabilities), entropies: joined(this.entropies) };
  }

  /** The reverse, for numbers of the same lengths. */
  split(rows: readonly PolicySequence[], byRow: readonly Float64Array[]): Float64Array[] {
    let next = 0;
    return rows.flatMap((row, b) => {
      let from = 0;
      return turnsOf(row).map(() => {
        const { length } = this.logProbabilities[next++]!;
        from += length;
        return byRow[b]!.subarray(from - length, from);
      });
    });
  }
}

function meanEntropy(
  entropies: readonly Float32Array[],
  rows: readonly { mask?: ArrayLike<number> | undefined }[],
): number {
  const counted = entropies.flatMap((row, b) => Array.from(row).filter((_, t) => rows[b]!.mask?.[t] !== 0));
  return counted.reduce((sum, entropy) => sum + entropy, 0) / Math.max(1, counted.length);
}
