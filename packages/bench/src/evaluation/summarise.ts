// Accuracy per arm and family, with intervals and the paired comparison with a base arm.
import { MemGenError } from '@memgen/common';
import { mcNemarExact } from '../statistics/mcnemar.js';
import { wilsonInterval, type Interval } from '../statistics/wilson-interval.js';
import type { Answer, EvaluationRow } from './types.js';

/** Comparison with the base arm on the rows that both answered. */
export interface PairedComparison {
  /** Rows that both answered. */
  n: number;
  /** Accuracy minus the base arm's, on these rows, in [-1, 1]. */
  difference: number;
  /** Two-sided exact McNemar test. */
  p: number;
  /** Rows right here and wrong in the base arm. */
  rescues: string[];
  /** Rows wrong here and right in the base arm. */
  regressions: string[];
}

export interface AccuracySummary {
  /** Rows answered. */
  n: number;
  correct: number;
  /** In [0, 1]; NaN for no answers. */
  accuracy: number;
  /** Wilson, 95 %. */
  interval: Interval;
  /** Absent for the base arm and without one. */
  paired?: PairedComparison;
}

export interface ArmSummary {
  arm: string;
  overall: AccuracySummary;
  /** In the order in which the families first occur among the rows. */
  families: { family: string; summary: AccuracySummary }[];
  /** Rows this arm gave no answer to. */
  unanswered: number;
}

export interface SummariseOptions {
  rows: readonly EvaluationRow[];
  answers: readonly Answer[];
  /** In the order of the table. Default: as they first occur among the answers. */
  arms?: readonly string[];
  /** Arm the others are compared with. Default none. */
  baseArm?: string;
}

/** @throws MemGenError `evaluation-answers` for answers to unknown rows, answers given twice, or a base arm without any. */
export function summarise({
  rows,
  answers,
  arms = [...new Set(answers.map(({ arm }) => arm))],
  baseArm,
}: SummariseOptions): ArmSummary[] {
  const answersByArm = indexAnswers(rows, answers);
  const base = baseArm === undefined ? undefined : answersByArm.get(baseArm);
  if (baseArm !== undefined && base === undefined) throw fault('the base arm has no answers', baseArm);
  const families = [...new Set(rows.map(({ family }) => family))];
  return arms.map((arm) => {
    const own = answersByArm.get(arm) ?? new Map<string, boolean>();
    const compared = arm === baseArm ? undefined : base;
    return {
      arm,
      overall: summariseRows(rows, own, compared),
      families: families.map((family) => ({
        family,
        summary: summariseRows(
          rows.filter((row) => row.family === family),
          own,
          compared,
        ),
      })),
      unanswered: rows.length - own.size,
    };
  });
}

/** arm -> row -> correct */
function indexAnswers(rows: readonly EvaluationRow[], answers: readonly Answer[]): Map<string, Map<string, boolean>> {
  const known = new Set<string>();
  for (const { id } of rows) {
    if (known.has(id)) throw fault('two rows have the same id', id);
    known.add(id);
  }
  const byArm = new Map<string, Map<string, boolean>>();
  for (const { arm, rowId, correct } of answers) {
    if (!known.has(rowId)) throw fault('an answer belongs to no row', `${arm}: ${rowId}`);
    const own = byArm.get(arm) ?? new Map<string, boolean>();
    if (own.has(rowId)) throw fault('a row was answered twice', `${arm}: ${rowId}`);
    byArm.set(arm, own.set(rowId, correct));
  }
  return byArm;
}

function summariseRows(
  rows: readonly EvaluationRow[],
  own: ReadonlyMap<string, boolean>,
  base: ReadonlyMap<string, boolean> | undefined,
): AccuracySummary {
  const answered = rows.filter(({ id }) => own.has(id));
  const correct = answered.filter(({ id }) => own.get(id)).length;
  return {
    n: answered.length,
    correct,
    accuracy: correct / answered.length,
    interval: wilsonInterval(correct, answered.length),
    ...(base && { paired: compare(answered, own, base) }),
  };
}

function compare(
  answered: readonly EvaluationRow[],
  own: ReadonlyMap<string, boolean>,
  base: ReadonlyMap<string, boolean>,
): PairedComparison {
  const ids = answered.map(({ id }) => id).filter((id) => base.has(id));
  const rescues = ids.filter((id) => own.get(id) === true && base.get(id) === false);
  const regressions = ids.filter((id) => own.get(id) === false && base.get(id) === true);
  return {
    n: ids.length,
    difference: ids.length === 0 ? 0 : (rescues.length - regressions.length) / ids.length,
    p: mcNemarExact(rescues.length, regressions.length),
    rescues,
    regressions,
  };
}

function fault(message: string, got: string): MemGenError {
  return new MemGenError({ code: 'evaluation-answers', message, got });
}
