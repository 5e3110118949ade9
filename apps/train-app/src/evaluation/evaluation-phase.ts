// The evaluation phase: every arm answers the same questions, and old skills must be untouched without latents.
import { summarise, type ArmSummary } from '@memgen/bench';
import { readAnswers, type RunFolder } from '@memgen/runs';
import type { Progress } from '../progress.js';
import type { TestSet } from '../tasks/task.js';
import { answerQuestions, type AnswerOptions } from './answer-questions.js';
import type { Arm } from './arm.js';
import type { GivenAnswer, KnownAnswer } from './given-answer.js';

export interface TestResult {
  test: TestSet;
  answers: readonly GivenAnswer[];
  /** Over the headline families, then family by family; compared with vanilla. */
  summaries: readonly ArmSummary[];
  /** Over the headline families only, compared with vanilla and with the random weaver. */
  headline: readonly ArmSummary[];
  /** Share of the points at which latents went in, by arm; none of arms without points. */
  weaveRates: ReadonlyMap<string, number>;
  /** Answers per second of each arm, of those given in this session. */
  rates: ReadonlyMap<string, number>;
}

export interface EvaluationPhaseOptions extends Omit<
  AnswerOptions,
  'arm' | 'known' | 'environment' | 'onAnswers' | 'onProgress'
> {
  arms: readonly Arm[];
  run: RunFolder;
  /** Optimizer steps done. */
  step: number;
  progress: (label: string, total: number) => Progress;
  now: () => number;
}

/** Answers a test set with every arm, beginning after the answers the run has already; undefined when interrupted. */
export async function runTestSet(test: TestSet, options: EvaluationPhaseOptions): Promise<TestResult | undefined> {
  const { arms, run, step, progress, now, ...answering } = options;
  const answers: GivenAnswer[] = [];
  const rates = new Map<string, number>();
  for (const arm of arms) {
    const bar = progress(`${test.name}: ${arm.name}`, test.questions.length);
    const began = now();
    let fresh = 0;
    try {
      const given = await answerQuestions(test.questions, {
        ...answering,
        arm,
        environment: test.environment,
        known: knownAnswers(test, { arm: arm.name, run, step }),
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
    if (fresh > 0) rates.set(arm.name, (fresh * 1000) / (now() - began));
    if (answering.signal.aborted) return undefined;
  }
  const names = arms.map(({ name }) => name);
  const baseArm = names.includes('vanilla') ? 'vanilla' : names[0]!;
  const wanted = new Set(test.headline ?? test.questions.map(({ family }) => family));
  const rows = test.questions.filter(({ family }) => wanted.has(family));
  const chosen = answers.filter(({ row }) => wanted.has(row.family));
  const headline = summarise({ rows, answers: chosen, arms: names, baseArm });
  const weaveRates = weaveRatesOf(answers, names);
  run.appendMetrics(step, {
    ...Object.fromEntries(headline.map(({ arm, overall }) => [`test/${test.name}/${arm}`, overall.accuracy])),
    ...Object.fromEntries([...weaveRates].map(([arm, rate]) => [`test/${test.name}/weave_rate/${arm}`, rate])),
  });
  const summaries = summarise({ rows: test.questions, answers, arms: names, baseArm });
  return { test, answers, summaries, headline, weaveRates, rates };
}

function weaveRatesOf(answers: readonly GivenAnswer[], arms: readonly string[]): Map<string, number> {
  const rates = new Map<string, number>();
  for (const arm of arms) {
    const own = answers.filter((answer) => answer.arm === arm);
    const decisions = own.reduce((sum, answer) => sum + answer.decisions, 0);
    if (decisions > 0) rates.set(arm, own.reduce((sum, { woven }) => sum + woven, 0) / decisions);
  }
  return rates;
}

function toRecord(answer: GivenAnswer, test: TestSet, step: number) {
  const { arm, row, prompt, ids, completion, correct, woven, decisions } = answer;
  const { family, id, solution } = row;
  const named = { step, arm, family: `${test.name}/${family}`, row: id };
  return { ...named, prompt, completion, solution, correct, woven, decisions, ids: [...ids] };
}

/** Answers of an arm that an interrupted session left in the run folder, by row. */
function knownAnswers(
  test: TestSet,
  { arm, run, step }: { arm: string; run: RunFolder; step: number },
): Map<string, KnownAnswer> {
  const known = new Map<string, KnownAnswer>();
  for (const record of readAnswers(run.path)) {
    if (record.step !== step || record.arm !== arm || !record.family.startsWith(`${test.name}/`)) continue;
    const { row, ids, completion, correct, woven = 0, decisions = woven } = record;
    if (ids !== undefined) known.set(row, { ids, completion, correct, woven, decisions });
  }
  return known;
}

/** Rows whose vanilla answer is not the same, token by token, as it was before training. */
export function changedAnswers(before: readonly GivenAnswer[], after: readonly GivenAnswer[]): string[] {
  const known = new Map(before.map(({ rowId, ids }) => [rowId, ids.join()]));
  return after
    .filter(({ arm, rowId, ids }) => arm === 'vanilla' && known.get(rowId) !== ids.join())
    .map(({ rowId }) => rowId);
}
