// What a state file says of evaluations and settings, and how it is read: trusting nothing.
import { MemGenError } from '@memgen/common';
import type { EvaluationState } from './evaluation.js';

/** What a trainer knows beside weights and optimizer. */
export interface TrainingProgress {
  /** Of the evaluations so far. */
  evaluation?: EvaluationState | undefined;
  /** Rows and settings that the run depends on, by name: going on with others would not give the same result. */
  settings?: Readonly<Record<string, string>> | undefined;
}

/**
 * @param json - content of the state file, beside its step.
 * @param where - its path, for errors.
 * @throws MemGenError `training-state`.
 */
export function readProgress(
  { evaluation, settings }: Readonly<Record<string, unknown>>,
  where: string,
): TrainingProgress {
  return {
    ...(evaluation !== undefined && { evaluation: readEvaluation(evaluation, where) }),
    ...(settings !== undefined && { settings: readSettings(settings, where) }),
  };
}

function readEvaluation(json: unknown, where: string): EvaluationState {
  if (isRecord(json) && isRecord(json.best)) {
    const { step, withoutImprovement, best } = json;
    if (isCount(step) && isCount(withoutImprovement) && isCount(best.step) && isFinite(best.loss)) {
      return { step, best: { step: best.step, loss: best.loss }, withoutImprovement };
    }
  }
  throw damaged('evaluation', json, 'step, best.step, best.loss and withoutImprovement, all numbers', where);
}

function readSettings(json: unknown, where: string): Record<string, string> {
  if (isRecord(json) && Object.values(json).every((value) => typeof value === 'string')) {
    return json as Record<string, string>;
  }
  throw damaged('settings', json, 'an object of strings', where);
}

function damaged(part: string, json: unknown, expected: string, where: string): MemGenError {
  return new MemGenError({
    code: 'training-state',
    where,
    message: `the state of the trainer is damaged in "${part}"`,
    got: JSON.stringify(json).slice(0, 200),
    expected,
    hint: 'go on from another checkpoint',
  });
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function isCount(json: unknown): json is number {
  return Number.isInteger(json) && Number(json) >= 0;
}

function isFinite(json: unknown): json is number {
  return Number.isFinite(json);
}
