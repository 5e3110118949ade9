// The policy objective of tokens that a model wrote, whatever made the hidden states that predict them.
import {
  eager,
  Tape,
  valuesOf,
  type Execution,
  type Gradients,
  type LabelledPlaces,
  type WovenRow,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { policyObjective, type ObjectiveMetrics } from './objective.js';
import type { ObjectiveOptions, PassOptions, PolicyActions } from './objective-options.js';
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
export async function sequenceLogProbabilities(
  { read, head, temperature }: SequenceModel,
  rows: readonly PolicySequence[],
): Promise<CompletionLogProbabilities> {
  const sequences = rows.flatMap(turnsOf);
  let passes: Omit<LabelledPass, 'hidden'>[] = [];
  const values = await valuesOf(() => {
    const results = read(sequences, eager).map(({ hidden, ...pass }) => {
      const { labels } = pass.places;
      return { pass, ...tokenLogProbabilities(hidden, labels, head, { temperature }) };
    });
    passes = results.map(({ pass }) => pass);
    return inOneList(results);
  });
  return new SequenceNumbers(sequences.length, passes, values).join(rows);
}

export interface SequenceObjective extends CompletionLogProbabilities {
  loss: number;
  /** By variable; the caller disposes. */
  gradients: Gradients;
  /** `entropy` is the mean over the actions that count. */
  metrics: ObjectiveMetrics & { entropy: number };
}

/** With gradients of all variables that the model's pieces name. Every tensor but the returned gradients is freed. */
export async function sequenceObjective(
  { read, head, temperature }: SequenceModel,
  rows: readonly (Omit<PolicyActions, 'logProbabilities'> & { sequence: PolicySequence })[],
  { gradientCheckpointing = true, onForward, ...objective }: ObjectiveOptions & PassOptions,
): Promise<SequenceObjective> {
  const turns = rows.map(({ sequence }) => sequence);
  const sequences = turns.flatMap(turnsOf);
  const tape = new Tape({ checkpointing: gradientCheckpointing });
  try {
    const passes = read(sequences, tape).map((pass) => {
      // The tape owns them: they are freed with it, whatever happens next.
      const [logProbabilities, entropies, hiddenGradients] = tape.constants(() => {
        const result = tokenLogProbabilities(pass.hidden, pass.places.labels, head, {
          temperature,
          withGradients: true,
        });
        return [result.logProbabilities, result.entropies, result.hiddenGradients!];
      }) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor2D];
      return { ...pass, logProbabilities, entropies, hiddenGradients };
    });
    const bySequence = new SequenceNumbers(sequences.length, passes, await valuesOf(() => inOneList(passes)));
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
    onForward?.();
    const gradients = tape.backward(seeds);
    return { loss, gradients, metrics: { ...metrics, entropy: meanEntropy(current.entropies, rows) }, ...current };
  } finally {
    tape.dispose();
  }
}

/** Log-probabilities and entropies of all passes, so that one read brings them all. */
function inOneList(passes: readonly { logProbabilities: tf.Tensor1D; entropies: tf.Tensor1D }[]): tf.Tensor1D {
  return tf.concat1d(passes.flatMap(({ logProbabilities, entropies }) => [logProbabilities, entropies]));
}

/** Numbers of labelled tokens, by sequence and by row. */
class SequenceNumbers {
  private readonly logProbabilities: Float32Array[];
  private readonly entropies: Float32Array[];

  /** @param values - of {@link inOneList}. */
  constructor(sequences: number, passes: readonly Omit<LabelledPass, 'hidden'>[], values: Float32Array) {
    this.logProbabilities = Array.from({ length: sequences }, () => new Float32Array());
    this.entropies = [...this.logProbabilities];
    let from = 0;
    for (const { members, places } of passes) {
      for (const bySequence of [this.logProbabilities, this.entropies]) {
        const to = from + places.labels.length;
        places.byRow(values.subarray(from, to)).forEach((own, i) => (bySequence[members[i]!] = own));
        from = to;
      }
    }
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
