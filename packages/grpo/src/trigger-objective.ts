// The policy objective of a trigger's decisions, and the gradients of the trigger.
import { eager, Tape, valuesOf, type Execution } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { adaptivePenalty, chargeAbove, type AdaptivePenaltyOptions } from './adaptive-penalty.js';
import { policyObjective, type ObjectiveMetrics } from './objective.js';
import type { ObjectiveOptions, PassOptions, PolicyActions } from './objective-options.js';
import {
  decisionColumns,
  decisionProbabilities,
  type DecidedText,
  type DecisionColumns,
  type DecisionProbabilities,
  type TriggerPolicyOptions,
} from './trigger-decisions.js';

/** Probabilities of the decisions, without gradients: of the policy that acted, or of the reference policy. */
export async function triggerLogProbabilities(
  rows: readonly DecidedText[],
  { temperature = 1, padId, ...options }: TriggerPolicyOptions,
): Promise<DecisionProbabilities> {
  const columns = decisionColumns(rows, padId);
  const logits = await valuesOf(() => judge(columns, eager, options));
  return decisionProbabilities(logits, rows, columns.places, temperature);
}

/** A completion whose decisions are to be learnt from; the lists have one number for each decision. */
export interface TriggerPolicyRow extends Omit<PolicyActions, 'logProbabilities'> {
  text: DecidedText;
}

/** A penalty whose standards are known. */
export interface StandardPenalty {
  lambda: number;
  /** One for each row; undefined where nothing is charged. */
  standards: readonly (number | undefined)[];
}

export interface TriggerObjectiveOptions extends TriggerPolicyOptions, ObjectiveOptions, PassOptions {
  /**
   * The paper's reward-adaptive penalty, its mean over the completions added to the loss and differentiated through the
   * probabilities of weaving. Its standard comes from the rows given here, or is given: {@link adaptivePenalty} finds it
   * for a step that is cut into parts. Absent from the official code. @default off
   */
  penalty?: (AdaptivePenaltyOptions & { rewards: ArrayLike<number>; groupSize: number }) | StandardPenalty;
}

export interface TriggerObjective extends DecisionProbabilities {
  /** The penalty included. */
  loss: number;
  /** By variable; the caller disposes. */
  gradients: Map<tf.Variable, tf.Tensor>;
  /** `weave_rate`: share of the decisions that wove; `weave_probability`: mean over the decisions, before they are drawn. */
  metrics: ObjectiveMetrics & { weave_rate: number; weave_probability: number; penalty?: number };
}

/**
 * Loss and gradients with respect to the trigger's parameters; each row is read once, up to its last decision. Every tensor
 * but the returned gradients is freed.
 * @throws MemGenError of {@link policyObjective} and {@link adaptivePenalty}, and `trigger-decisions`.
 */
export async function triggerObjective(
  rows: readonly TriggerPolicyRow[],
  {
    trigger,
    temperature = 1,
    padId,
    dropoutSeed,
    penalty,
    gradientCheckpointing = true,
    onForward,
    ...objective
  }: TriggerObjectiveOptions,
): Promise<TriggerObjective> {
  const texts = rows.map(({ text }) => text);
  const columns = decisionColumns(texts, padId);
  const tape = new Tape({ checkpointing: gradientCheckpointing });
  try {
    const logits = judge(columns, tape, { trigger, ...(dropoutSeed !== undefined && { dropoutSeed }) });
    const current = decisionProbabilities(await logits.data(), texts, columns.places, temperature);
    const actions = rows.map(({ old, reference, mask, advantage }, b) => ({
      logProbabilities: current.logProbabilities[b]!,
      old,
      reference,
      mask,
      advantage,
    }));
    const result = policyObjective(actions, objective);
    const charge = penalty && penaltyOf(current.weaving, penalty, objective.step?.rows ?? rows.length);
    const gradient = new Float32Array(logits.size);
    texts.forEach(({ decisions }, b) => {
      decisions.forEach(({ weave }, j) => {
        const place = columns.places[b]![j]!;
        const weaving = current.weaving[b]![j]!;
        const ofLogProbability = result.gradients[b]![j]! * ((weave ? 1 : 0) - weaving);
        const ofProbability = (charge?.slopes[b]![j] ?? 0) * weaving * (1 - weaving);
        const slope = (ofLogProbability + ofProbability) / temperature;
        gradient[2 * place + 1]! += slope;
        gradient[2 * place]! -= slope;
      });
    });
    const [seed] = tape.constants(() => [tf.tensor2d(gradient, logits.shape)]);
    onForward?.();
    const gradients = tape.backward([{ output: logits, gradient: seed! }]);
    const metrics = {
      ...result.metrics,
      ...weaveMetrics(texts, current.weaving),
      ...(charge !== undefined && { penalty: charge.loss }),
    };
    return { loss: result.loss + (charge?.loss ?? 0), gradients, metrics, ...current };
  } finally {
    tape.dispose();
  }
}

/** Logits `[rows * columns, 2]`; the session ends here, what the tape has recorded stays. */
function judge(
  { ids, mask }: DecisionColumns,
  execution: Execution,
  { trigger, dropoutSeed }: Pick<TriggerPolicyOptions, 'trigger' | 'dropoutSeed'>,
): tf.Tensor2D {
  const session = trigger.begin({
    batch: ids.length,
    execution,
    ownership: 'parts',
    ...(dropoutSeed !== undefined && { dropoutSeed }),
  });
  try {
    return session.judge(ids, mask);
  } finally {
    session.dispose();
  }
}

/** Mean over the completions of the step, and its derivatives with respect to the probabilities. */
function penaltyOf(
  probabilities: readonly Float64Array[],
  penalty: NonNullable<TriggerObjectiveOptions['penalty']>,
  completions: number,
): { loss: number; slopes: Float64Array[] } {
  const { penalties, slopes } =
    'standards' in penalty
      ? chargeAbove(probabilities, penalty.standards, penalty.lambda)
      : adaptivePenalty({ probabilities, ...penalty }, penalty);
  return {
    loss: penalties.reduce((sum, value) => sum + value, 0) / completions,
    slopes: slopes.map((row) => row.map((slope) => slope / completions)),
  };
}

function weaveMetrics(
  texts: readonly DecidedText[],
  weaving: readonly Float64Array[],
): { weave_rate: number; weave_probability: number } {
  const decisions = texts.flatMap((text) => text.decisions);
  const probabilities = weaving.flatMap((row) => Array.from(row));
  return {
    weave_rate: decisions.filter(({ weave }) => weave).length / decisions.length,
    weave_probability: probabilities.reduce((sum, p) => sum + p, 0) / probabilities.length,
  };
}
