// The policy objective of completions of the reasoner under a LoRA adapter, without latents: the paper's baseline.
import { LabelledPlaces, runOne, type Decoder, type LoraAdapter, type WovenRow } from '@memgen/core';
import type * as tf from '@tensorflow/tfjs';
import type { ObjectiveOptions, PassOptions, PolicyActions } from './objective-options.js';
import {
  sequenceLogProbabilities,
  sequenceObjective,
  type CompletionLogProbabilities,
  type SequenceModel,
  type SequenceObjective,
} from './sequence-objective.js';

export interface AdapterPolicyOptions {
  adapter: LoraAdapter;
  /** That of the sampling: logits are divided by it. @default 1 */
  temperature?: number;
}

/** An episode of any number of turns: what the model wrote is labelled. The lists have one number for each label. */
export interface AdapterPolicyRow extends Omit<PolicyActions, 'logProbabilities'> {
  sequence: WovenRow;
}

/** Log-probabilities of the labelled tokens, without gradients. */
export function adapterLogProbabilities(
  reasoner: Decoder,
  rows: readonly WovenRow[],
  options: AdapterPolicyOptions,
): Promise<CompletionLogProbabilities> {
  return sequenceLogProbabilities(adaptedModel(reasoner, options), rows);
}

export interface AdapterObjectiveOptions extends AdapterPolicyOptions, ObjectiveOptions, PassOptions {}

/**
 * Loss and gradients with respect to the adapter; its dropout is off, so that probabilities are those of the policy that
 * acted. Every tensor but the returned gradients is freed.
 * @throws MemGenError of {@link policyObjective}.
 */
export function adapterObjective(
  reasoner: Decoder,
  rows: readonly AdapterPolicyRow[],
  { adapter, temperature = 1, gradientCheckpointing = true, ...objective }: AdapterObjectiveOptions,
): Promise<SequenceObjective> {
  const model = adaptedModel(reasoner, { adapter, temperature });
  return sequenceObjective(model, rows, { ...objective, gradientCheckpointing });
}

function adaptedModel(reasoner: Decoder, { adapter, temperature = 1 }: AdapterPolicyOptions): SequenceModel {
  return {
    head: reasoner.weights.head,
    temperature,
    read(sequences, execution) {
      const width = Math.max(...sequences.map(({ ids }) => ids.length));
      const columns = Array.from({ length: width }, (_, t) => t);
      const mask = sequences.map(({ ids }) => columns.map((t) => (t < ids.length ? 1 : 0)));
      const [inputs] = execution.constants(() => [
        reasoner.embed(sequences.flatMap(({ ids }) => columns.map((t) => ids[t] ?? 0))),
      ]);
      const cache = reasoner.createCache(sequences.length, 'parts');
      const all = reasoner.forward(inputs as tf.Tensor2D, mask, { cache, execution, adapter: { adapter } });
      const places = new LabelledPlaces(sequences, {
        prompt: all,
        completion: all,
        locate: (row, index) => ({ part: 'completion', at: row * width + index }),
      });
      const hidden = runOne(execution, ([states]) => places.hidden(states as tf.Tensor2D, states as tf.Tensor2D), [
        all,
      ]);
      return [{ members: sequences.map((_, i) => i), places, hidden }];
    },
  };
}
