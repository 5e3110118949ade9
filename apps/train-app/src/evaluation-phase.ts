// The evaluation phase: every arm answers the same questions, and old skills must be untouched without latents.
import { summarise, type ArmSummary } from '@memgen/bench';
import type { Weaver, WovenRow } from '@memgen/core';
import type { RunFolder } from '@memgen/runs';
import { answerQuestions, type AnswerOptions, type GivenAnswer } from './answer-questions.js';
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
  /** Seconds that each arm took. */
  seconds: ReadonlyMap<string, number>;
}

export interface EvaluationPhaseOptions extends Omit<AnswerOptions, 'arm' | 'weaver' | 'onProgress'> {
  arms: ArmWeavers;
  run: RunFolder;
  /** Optimizer step of the trained weaver. */
  step: number;
  progress: (label: string, total: number) => Progress;
  now: () => number;
}

/** Answers a test set with every arm; undefined when interrupted. */
export async function runTestSet(test: TestSet, options: EvaluationPhaseOptions): Promise<TestResult | undefined> {
  const { arms, run, step, progress, now, ...answering } = options;
  const answers: GivenAnswer[] = [];
  const seconds = new Map<string, number>();
  for (const [arm, weaver] of arms) {
    const bar = progress(`${test.name}: ${arm}`, test.questions.length);
    const began = now();
    try {
      const given = await answerQuestions(test.questions, {
        ...answering,
        arm,
        weaver,
        onProgress: (done) => {
          bar.advance(done);
        },
      });
      answers.push(...given);
    } finally {
      bar.stop();
    }
    seconds.set(arm, (now() - began) / 1000);
    if (answering.signal.aborted) return undefined;
  }
  for (const { arm, row, prompt, completion, correct, woven } of answers) {
    const { family, id, solution } = row;
    run.appendAnswer({
      step,
      arm,
      family: `${test.name}/${family}`,
      row: id,
      prompt,
      completion,
      solution,
      correct,
      woven,
    });
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
  return { test, answers, summaries, headline, seconds };
}

/** Validation loss per supervised token of every arm. */
export function runValidation(
  rows: readonly WovenRow[],
  {
    arms,
    reasoner,
    batchSize,
    run,
    step,
  }: Pick<EvaluationPhaseOptions, 'arms' | 'reasoner' | 'batchSize' | 'run' | 'step'>,
): Map<string, number> {
  const losses = new Map<string, number>();
  for (const [arm, weaver] of arms) losses.set(arm, validationLoss(reasoner, rows, batchSize, weaver));
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
