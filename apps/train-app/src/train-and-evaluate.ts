// What happens in a run folder: old skills before, training, all arms on all tests, the report.
import { basename } from 'node:path';
import { renderSummary } from '@memgen/bench';
import { writeFileAtomically } from '@memgen/common';
import type { BackendInfo, ChatTemplate, Reasoner } from '@memgen/core';
import { readMetrics, readSamples, renderReport, type RunFolder } from '@memgen/runs';
import type { Experiment } from './config/load-experiment.js';
import { answerQuestions } from './evaluation/answer-questions.js';
import { makeArms } from './evaluation/arm.js';
import { changedAnswers, runTestSet, type EvaluationPhaseOptions, type TestResult } from './evaluation/evaluation-phase.js'; // prettier-ignore
import type { GivenAnswer } from './evaluation/given-answer.js';
import { runValidation } from './evaluation/validation-phase.js';
import { formatDuration } from './format-duration.js';
import type { Parts } from './parts/parts.js';
import { Progress } from './progress.js';
import { experimentReport } from './report/experiment-report.js';
import { headlineSentence } from './report/headline-sentence.js';
import type { ReportedExperiment } from './report/reported-experiment.js';
import { countsOnly, runFacts } from './report/run-facts.js';
import { weaveRateLine } from './report/weave-rates.js';
import type { ExperimentContext } from './experiment-context.js';
import type { Task } from './tasks/task.js';
import { plainRows, wovenRows } from './training/sft-phase.js';
import { runTrainingPhase } from './training/training-phase.js';
import { TrainingProgress } from './training-progress.js';

export interface RunningExperiment {
  experiment: Experiment;
  backend: BackendInfo;
  reasoner: Reasoner;
  template: ChatTemplate;
  task: Task;
  parts: Parts;
  run: RunFolder;
  /** When the session began, in milliseconds. */
  began: number;
  signal: AbortSignal;
}

/** @returns whether all of it was done; false when interrupted. */
export async function trainAndEvaluate(running: RunningExperiment, context: ExperimentContext): Promise<boolean> {
  const { experiment, task, run, parts, reasoner } = running;
  const { say, now } = context;
  const arms = await makeArms(experiment, reasoner, parts);
  try {
    const evaluation = evaluationOptions(running, context);
    const before = await answersBefore(evaluation, task);
    const trained = await trainWithProgress(running, context);
    if (!trained.complete) return false;
    const measured = { ...evaluation, arms: arms.list, step: trained.step };
    const rows = {
      woven: parts.weaver === undefined ? [] : wovenRows(task.validation, running).rows,
      plain: plainRows(task.validation, running).rows,
    };
    const validation = await runValidation({ ...measured, rows, batchSize: experiment.training.batchSize });
    if (validation === undefined) return false;
    const results: TestResult[] = [];
    for (const test of task.tests) {
      const result = await runTestSet(test, measured);
      if (result === undefined) return false;
      results.push(result);
      sayResult(result, say);
    }
    const after = results.find(({ test }) => test.purpose === 'skills');
    const untouched = after && { rows: before.length, changed: changedAnswers(before, after.answers).length };
    const samples = readSamples(run.path);
    const facts = runFacts({ ...running, ...trained, results, seconds: (now() - running.began) / 1000 });
    await run.updateManifest({
      results: {
        headline: results.map(({ test, headline }) => ({ test: test.name, arms: headline.map(countsOnly) })),
        weave_rates: Object.fromEntries(results.map(({ test, weaveRates }) => [test.name, Object.fromEntries(weaveRates)])), // prettier-ignore
        validation_loss: Object.fromEntries(validation),
        old_skills_changed_with_latents_off: untouched?.changed ?? null,
        /** The weights that were evaluated. */
        checkpoint: basename(run.checkpointPath(trained.weightsOf)),
        facts,
      },
    });
    const reported: ReportedExperiment = {
      task,
      results,
      validation,
      validationRows: rows.plain.length,
      untouched,
      metrics: readMetrics(run.path),
      samples,
      manifest: run.manifest,
      facts,
      commands: [context.command.join(' ')],
      writtenAt: new Date(now()).toISOString(),
    };
    await writeFileAtomically(run.file('report.html'), await renderReport(experimentReport(reported)));
    say(`\n${headlineSentence(reported)}`);
    say(`Report: ${run.file('report.html')}   (${formatDuration((now() - running.began) / 1000)} in all)`);
    return true;
  } finally {
    arms.dispose();
  }
}

type SharedEvaluation = Omit<EvaluationPhaseOptions, 'arms' | 'step'>;

function evaluationOptions(
  { experiment, reasoner, template, task, run, signal }: RunningExperiment,
  { stream, now }: ExperimentContext,
): SharedEvaluation & { reasoner: Reasoner; weaving: Experiment['weaver'] } {
  const { evaluation, training, weaver, seed } = experiment;
  return {
    reasoner,
    weaving: weaver,
    template,
    run,
    now,
    signal,
    seed,
    score: task.score,
    maxNewTokens: evaluation.maxNewTokens,
    batchSize: evaluation.batchSize,
    episodes: {
      maxLength: training.grpo.maxEpisodeLength,
      maxObservationLength: training.grpo.maxObservationLength,
    },
    progress: (label, total) => new Progress({ label, total, stream, clock: now }),
  };
}

/** What the reasoner says to old skills before anything is trained. */
async function answersBefore(
  { reasoner, weaving, ...answering }: ReturnType<typeof evaluationOptions>,
  { tests }: Task,
): Promise<GivenAnswer[]> {
  const skills = tests.find(({ purpose }) => purpose === 'skills');
  if (skills === undefined) return [];
  const { maxInferenceAugNum: maxInferencePoints, delimiterRule, minimumPointDistance } = weaving;
  return answerQuestions(skills.questions, {
    ...answering,
    arm: { name: 'vanilla', reasoner, weaving: { maxInferencePoints, delimiterRule, minimumPointDistance } },
    onProgress: () => undefined,
  });
}

async function trainWithProgress(running: RunningExperiment, { stream, now, say }: ExperimentContext) {
  const began = now();
  let bar: TrainingProgress | undefined;
  let readTokens = 0;
  const outcome = await runTrainingPhase({
    ...running,
    now,
    onStart: (steps, done) => {
      bar = new TrainingProgress({ total: steps, done, stream, clock: now, memory: () => process.memoryUsage.rss() });
    },
    onStep: (step) => {
      readTokens += step.tokens;
      bar?.advance(step);
    },
    onNote: (text) => {
      if (bar === undefined) say(text);
      else bar.note(text);
    },
  }).finally(() => {
    bar?.stop();
  });
  return { ...outcome, readTokens, trainingSeconds: (now() - began) / 1000 };
}

/** More arms than this are told of as a whole; the families are in the report. */
const mostArmsByFamily = 3;

function sayResult(result: TestResult, say: (text: string) => void): void {
  const { test, summaries, headline } = result;
  const whole = headline.map((summary) => ({ ...summary, families: [] }));
  if (summaries.length <= mostArmsByFamily) say(`\n${test.title}\n${renderSummary(summaries)}`);
  else say(`\n${test.title}${test.headline === undefined ? `\n${renderSummary(whole)}` : ''}`);
  if (test.headline !== undefined) say(`\n${test.headline.join(' + ')}\n${renderSummary(whole)}`);
  const rates = weaveRateLine(result);
  if (rates !== undefined) say(rates);
}
