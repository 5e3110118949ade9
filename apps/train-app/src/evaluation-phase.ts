// The evaluation phase: every arm answers the same questions, and old skills must be untouched without latents.
import { summarise, type ArmSummary } from '@memgen/bench';
import type { Weaver, WovenRow } from '@memgen/core';
import { readAnswers, type RunFolder } from '@memgen/runs';
import { answerQuestions, type AnswerOptions, type GivenAnswer, type KnownAnswer } from './answer-questions.js';
import type { Progress } from './progress.js';
import type { TestSet } from './tasks/task.js';
import { validationLoss } from './training-phase.js';

/** Whose latents an arm uses; none for `vanilla`. */
export type ArmWeavers = ReadonlyMap<string, Weaver | undefined>;

export interface TestResult {
  test: TestSet;
  answers: readonly GivenAnswer[];
  /** Over the headline families, then family by family; compared with vanilla. */
  summaries: readonly ArmSummary[];
  /** Over the headline families only, compared with vanilla and with the random weaver. */
  headline: readonly ArmSummary[];
  /** Answers per second of each arm, of those given in this session. */
  rates: ReadonlyMap<string, number>;
}

export interface EvaluationPhaseOptions extends Omit<
  AnswerOptions,
  'arm' | 'weaver' | 'known' | 'onAnswers' | 'onProgress'
> {
  arms: ArmWeavers;
  run: RunFolder;
  /** Optimizer step of the trained weaver. */
  step: number;
  progress: (label: string, total: number) => Progress;
  now: () => number;
}

/** Answers a test set with every arm, beginning after the answers the run has already; undefined when interrupted. */
export async function runTestSet(test: TestSet, options: EvaluationPhaseOptions): Promise<TestResult | undefined> {
  const { arms, run, step, progress, now, ...answering } = options;
  const answers: GivenAnswer[] = [];
  const rates = new Map<string, number>();
  for (const [arm, weaver] of arms) {
    const bar = progress(`${test.name}: ${arm}`, test.questions.length);
    const began = now();
    let fresh = 0;
    try {
      const given = await answerQuestions(test.questions, {
        ...answering,
        arm,
        weaver,
        known: knownAnswers(test, { arm, run, step }),
        onAnswers: (batch) => {
          fresh += batch.length;
          for (const answer of batch) run.appendAnswer(toRecord(answer, test, step));
        },
        onProgress: (done) => {
          bar.advance(done);
        },
      });
      answers.push(...given);
    } finally {
      bar.stop();
    }
    if (fresh > 0) rates.set(arm, (fresh * 1000) / (now() - began));
    if (answering.signal.aborted) return undefined;
  }
  const names = [...arms.keys()];
  const baseArm = names.includes('vanilla') ? 'vanilla' : names[0]!;
  const wanted = new Set(test.headline ?? test.questions.map(({ family }) => family));
  const rows = test.questions.filter(({ family }) => wanted.has(family));
  const chosen = answers.filter(({ row }) => wanted.has(row.family));
  const headline = summarise({ rows, answers: chosen, arms: names, baseArm });
  const metrics = headline.map(({ arm, overall }) => [`test/${test.name}/${arm}`, overall.accuracy] as const);
  run.appendMetrics(step, Object.fromEntries(metrics));
  const summaries = summarise({ rows: test.questions, answers, arms: names, baseArm });
  return { test, answers, summaries, headline, rates };
}

function toRecord({ arm, row, prompt, ids, completion, correct, woven }: GivenAnswer, test: TestSet, step: number) {
  const { family, id, solution } = row;
  const named = { step, arm, family: `${test.name}/${family}`, row: id };
  return { ...named, prompt, completion, solution, correct, woven, ids: [...ids] };
}

/** Answers of an arm that an interrupted session left in the run folder, by row. */
function knownAnswers(
  test: TestSet,
  { arm, run, step }: { arm: string; run: RunFolder; step: number },
): Map<string, KnownAnswer> {
  const known = new Map<string, KnownAnswer>();
  for (const record of readAnswers(run.path)) {
    if (record.step !== step || record.arm !== arm || !record.family.startsWith(`${test.name}/`)) continue;
    if (record.ids !== undefined) known.set(record.row, { ids: record.ids, woven: record.woven ?? 0 });
  }
  return known;
}

/** Validation loss per supervised token of every arm; undefined when interrupted. */
export async function runValidation(
  rows: readonly WovenRow[],
  options: Pick<EvaluationPhaseOptions, 'arms' | 'reasoner' | 'batchSize' | 'run' | 'step' | 'progress' | 'signal'>,
): Promise<Map<string, number> | undefined> {
  const { arms, reasoner, batchSize, run, step, progress, signal } = options;
  const losses = new Map<string, number>();
  for (const [arm, weaver] of arms) {
    const bar = progress(`validation: ${arm}`, rows.length);
    try {
      const onProgress = (done: number) => {
        bar.advance(done);
      };
      const loss = await validationLoss(reasoner, rows, { batchSize, weaver, signal, onProgress });
      if (loss === undefined) return undefined;
      losses.set(arm, loss);
    } finally {
      bar.stop();
    }
  }
  run.appendMetrics(step, Object.fromEntries([...losses].map(([arm, loss]) => [`validation/loss/${arm}`, loss])));
  return losses;
}

/** Rows whose vanilla answer is not the same, token by token, as it was before training. */
export function changedAnswers(before: readonly GivenAnswer[], after: readonly GivenAnswer[]): string[] {
  const known = new Map(before.map(({ rowId, ids }) => [rowId, ids.join()]));
  return after
    .filter(({ arm, rowId, ids }) => arm === 'vanilla' && known.get(rowId) !== ids.join())
    .map(({ rowId }) => rowId);
}
