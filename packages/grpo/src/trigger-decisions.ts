// Decisions of a trigger as actions of a policy: where they fell in a text, and their probabilities.
import { MemGenError } from '@memgen/common';
import type { Augmentation, MaskRow, Trigger } from '@memgen/core';

/** Whether latents were woven in before token `index`; the trigger decided at the token before it. */
export interface Decision {
  index: number;
  weave: boolean;
}

/** A text, its prompt included, and the decisions taken in it. */
export interface DecidedText {
  ids: readonly number[];
  decisions: readonly Decision[];
}

/** The decisions of a generated completion, as `generate` of `@memgen/core` records them. */
export function decidedText(
  prompt: readonly number[],
  { ids, augmentations }: { ids: readonly number[]; augmentations: readonly Augmentation[] },
): DecidedText {
  return {
    ids: [...prompt, ...ids],
    decisions: augmentations.flatMap((augmentation, i) =>
      augmentation === -100 ? [] : [{ index: prompt.length + i, weave: augmentation === 1 }],
    ),
  };
}

/** What the trigger has to read for all decisions of a batch: columns padded on the right. */
export interface DecisionColumns {
  ids: number[][];
  mask: MaskRow[];
  /** Row of the logits `[rows * columns, 2]` for each decision, row by row. */
  places: number[][];
}

/**
 * Nothing behind a row's last decision is read.
 * @param padId - hidden from the trigger wherever it stands, as generation does.
 * @throws MemGenError `trigger-decisions` for a decision outside of its text, or a batch without any.
 */
export function decisionColumns(rows: readonly DecidedText[], padId: number | undefined): DecisionColumns {
  rows.forEach(({ ids, decisions }, b) => {
    const wrong = decisions.find(({ index }) => !Number.isInteger(index) || index < 1 || index > ids.length);
    if (wrong === undefined) return;
    throw new MemGenError({
      code: 'trigger-decisions',
      where: `row ${b}`,
      message: 'a decision stands outside of its text',
      got: `before token ${wrong.index}`,
      expected: `a whole number from 1 to ${ids.length}`,
    });
  });
  const lengths = rows.map(({ decisions }) => Math.max(0, ...decisions.map(({ index }) => index)));
  const width = Math.max(0, ...lengths);
  if (width === 0) {
    throw new MemGenError({
      code: 'trigger-decisions',
      message: 'there is no decision in these rows, so there is nothing to learn from',
      hint: 'generate with a weaver and a trigger: every completion then has a decision at the end of its prompt',
    });
  }
  const columns = Array.from({ length: width }, (_, t) => t);
  return {
    ids: rows.map(({ ids }, b) => columns.map((t) => (t < lengths[b]! ? ids[t]! : 0))),
    mask: rows.map(({ ids }, b) => columns.map((t) => (t < lengths[b]! && ids[t] !== padId ? 1 : 0))),
    places: rows.map(({ decisions }, b) => decisions.map(({ index }) => b * width + index - 1)),
  };
}

/** One number for each decision, row by row. */
export interface DecisionProbabilities {
  /** Of what was decided. */
  logProbabilities: Float64Array[];
  /** Probability of weaving, whatever was decided. */
  weaving: Float64Array[];
}

/** @param logits - `[rows * columns, 2]`, class 1 is "weave". */
export function decisionProbabilities(
  logits: ArrayLike<number>,
  rows: readonly DecidedText[],
  places: DecisionColumns['places'],
  temperature: number,
): DecisionProbabilities {
  const margin = (b: number, j: number) => {
    const place = places[b]![j]!;
    return (logits[2 * place + 1]! - logits[2 * place]!) / temperature;
  };
  return {
    logProbabilities: rows.map(({ decisions }, b) =>
      Float64Array.from(decisions, ({ weave }, j) => logSigmoid(weave ? margin(b, j) : -margin(b, j))),
    ),
    weaving: rows.map(({ decisions }, b) => Float64Array.from(decisions, (_, j) => Math.exp(logSigmoid(margin(b, j))))),
  };
}

/** `log(1 / (1 + exp(-x)))` without overflow. */
function logSigmoid(x: number): number {
  return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
}

export interface TriggerPolicyOptions {
  trigger: Trigger;
  /**
   * That of the trigger's sampling: logits are divided by it. The reference implementation does not, whatever it samples
   * with: 1 gives its values. @default 1
   */
  temperature?: number;
  /**
   * The tokenizer's pad token. Generation hides such tokens from the trigger wherever they stand, and so must training.
   * The reference implementation hides them in generation alone; undefined gives the values of its loss.
   */
  padId: number | undefined;
  /** Turns on the adapter's dropout. */
  dropoutSeed?: number;
}
