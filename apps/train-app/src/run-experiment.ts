// The whole experiment: backend, reasoner, task, training, evaluation, report.
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { renderSummary } from '@memgen/bench';
import { MemGenError, Random, writeFileAtomically } from '@memgen/common';
import { ChatTemplate, loadReasoner, openMemGen, startBackend, type Reasoner } from '@memgen/core';
import {
  readGitState,
  readManifest,
  readMetrics,
  readPackageVersions,
  readSamples,
  renderReport,
  RunFolder,
  type SessionFacts,
} from '@memgen/runs';
import { modelFolder } from '@memgen/tiny-reasoner';
import { LatentWeaver } from '@memgen/weaver';
import { answerQuestions, type GivenAnswer } from './answer-questions.js';
import { parseExperiment, type Experiment, type LoadedExperiment } from './config/load-experiment.js';
import { outputPath } from './config/output-path.js';
import { changedAnswers, runTestSet, runValidation, type ArmWeavers, type TestResult } from './evaluation-phase.js';
import { experimentReport, headlineSentence } from './experiment-report.js';
import { formatDuration } from './format-duration.js';
import { Progress, type ProgressStream } from './progress.js';
import { countsOnly, runFacts } from './run-facts.js';
import { createTask } from './tasks/create-task.js';
import { TrainingProgress } from './training-progress.js';
import { prepareRows, runTrainingPhase } from './training-phase.js';

/** What the app gives to an experiment. */
export interface ExperimentContext {
  say: (text: string) => void;
  stream: ProgressStream;
  /** Milliseconds since the epoch. */
  now: () => number;
  signal: AbortSignal;
  /** For the manifest. */
  command: readonly string[];
}

export type ExperimentRequest =
  | { loaded: LoadedExperiment; out?: string }
  /** `overrides`: settings of the evaluation that are to change, see `parseExperiment`. */
  | { resume: string; overrides?: readonly string[] };

/** Runs or resumes an experiment. @returns the folder of the run and whether it reached its end. */
export async function runExperiment(
  request: ExperimentRequest,
  context: ExperimentContext,
): Promise<{ folder: string; complete: boolean }> {
  const { say, now, signal, stream } = context;
  const began = now();
  const { experiment, resolved } =
    'resume' in request ? await readExperimentOf(request.resume, request.overrides) : request.loaded;
  const backend = await startBackend({ backend: experiment.backend });
  say(`Backend: ${backend.name} ${backend.version} (${backend.reason})`);
  for (const { name, problem } of backend.tried) say(`  not ${name}: ${firstLine(problem)}`);

  const reasoner = await loadReasoner(modelSource(experiment), revisionOf(experiment));
  say(`Reasoner: ${experiment.reasoner.model}, ${millions(reasoner.parameterCount)} parameters, frozen`);
  const task = await createTask(experiment);
  say(task.story);

  const session: SessionFacts = {
    command: [...context.command],
    backend: { name: backend.name, version: backend.version, reason: backend.reason },
    packages: {
      ...readPackageVersions(packageNames, import.meta.url),
      ...readPackageVersions(runtimePackageNames, import.meta.resolve('@memgen/core')),
    },
    ...gitFacts(),
  };
  const clock = () => now();
  const run =
    'resume' in request
      ? await RunFolder.resume(request.resume, { session, clock })
      : await RunFolder.create(
          request.out ??
            outputPath(experiment.output, { name: experiment.name, seed: experiment.seed, now: new Date(now()) }),
          {
            clock,
            manifest: {
              name: experiment.name,
              seed: experiment.seed,
              config: resolved,
              models: [modelFacts(experiment, reasoner)],
              data: task.data.map((facts) => ({ ...facts })),
              session,
            },
          },
        );
  say(`Run folder: ${run.path}`);
  if ('resume' in request && request.overrides !== undefined) await run.updateManifest({ config: resolved });

  try {
    const outcome = await trainAndEvaluate();
    await run.close(outcome ? 'finished' : 'interrupted');
    if (!outcome) say(`Stopped. Go on with: npm start -- --resume ${run.path}`);
    return { folder: run.path, complete: outcome };
  } catch (error) {
    await run.close('failed').catch(() => undefined);
    throw error;
  } finally {
    reasoner.decoder.dispose();
  }

  async function trainAndEvaluate(): Promise<boolean> {
    const template =
      experiment.reasoner.chatTemplate === 'own' ? ChatTemplate.ofTokenizer(reasoner.tokenizer) : ChatTemplate.chatMl();
    const newWeaver = () => createWeaver(experiment, reasoner);
    const checkpoint = run.resumedFrom?.path;
    const weaver =
      checkpoint === undefined
        ? newWeaver()
        : await LatentWeaver.load((await openMemGen(checkpoint, reasoner.origin)).folderOf('weaver'), reasoner.decoder);
    const trainable = [...weaver.parameters().values()].reduce((sum, variable) => sum + variable.size, 0);
    say(`Weaver: ${millions(trainable)} trainable parameters, ${weaver.latentCounts.prompt} latents after the prompt`);

    const answering = {
      reasoner,
      template,
      maxInferencePoints: experiment.weaver.maxInferenceAugNum,
      maxNewTokens: experiment.evaluation.maxNewTokens,
      batchSize: experiment.evaluation.batchSize,
      score: task.score,
      signal,
    };
    const progress = (label: string, total: number) => new Progress({ label, total, stream, clock: now });
    const skills = task.tests.find(({ purpose }) => purpose === 'skills');
    const before: GivenAnswer[] =
      skills === undefined
        ? []
        : await answerQuestions(skills.questions, { ...answering, arm: 'vanilla', onProgress: () => undefined });

    const { rows: validation } = prepareRows(task.validation, { reasoner, template, experiment });
    const trainingBegan = now();
    let bar: TrainingProgress | undefined;
    let readTokens = 0;
    const outcome = await runTrainingPhase({
      experiment,
      reasoner,
      weaver,
      template,
      examples: task.training,
      validation,
      run,
      resumeFrom: checkpoint,
      signal,
      now,
      onStart: (steps, done) => {
        bar = new TrainingProgress({ total: steps, done, stream, clock: now, memory: () => process.memoryUsage.rss() });
      },
      onStep: ({ step, loss, readTokens: tokens }) => {
        readTokens += tokens;
        bar?.advance({ step, loss, tokens });
      },
      onNote: say,
    }).finally(() => {
      bar?.stop();
    });
    if (!outcome.complete) return false;
    const trainingSeconds = (now() - trainingBegan) / 1000;

    const arms: ArmWeavers = new Map(
      experiment.evaluation.arms.map((arm) => [
        arm,
        arm === 'vanilla' ? undefined : arm === 'weaver' ? weaver : newWeaver(),
      ]),
    );
    const step = outcome.step;
    const losses =
      validation.length === 0
        ? new Map<string, number>()
        : await runValidation(validation, {
            arms,
            reasoner,
            batchSize: experiment.training.batchSize,
            run,
            step,
            progress,
            signal,
          });
    if (losses === undefined) return false;
    const results: TestResult[] = [];
    for (const test of task.tests) {
      const result = await runTestSet(test, { ...answering, arms, run, step, progress, now });
      if (result === undefined) return false;
      results.push(result);
      say(`\n${test.title}\n${renderSummary(result.summaries)}`);
      if (test.headline !== undefined)
        say(`\n${test.headline.join(' + ')}\n${renderSummary(result.headline.map(overallOnly))}`);
    }
    const after = results.find(({ test }) => test.purpose === 'skills');
    const untouched =
      after === undefined ? undefined : { rows: before.length, changed: changedAnswers(before, after.answers).length };

    const facts = runFacts({ backend, trainingSeconds, readTokens, results, seconds: (now() - began) / 1000 });
    await run.updateManifest({
      results: {
        headline: results.map(({ test, headline }) => ({ test: test.name, arms: headline.map(countsOnly) })),
        validation_loss: Object.fromEntries(losses),
        old_skills_changed_with_latents_off: untouched?.changed ?? null,
        facts,
      },
    });
    const report = {
      task,
      results,
      validation: losses,
      validationRows: validation.length,
      untouched,
      metrics: readMetrics(run.path),
      samples: readSamples(run.path),
      manifest: run.manifest,
      facts,
      commands: [context.command.join(' ')],
      writtenAt: new Date(now()).toISOString(),
    };
    await writeFileAtomically(run.file('report.html'), await renderReport(experimentReport(report)));
    say(`\n${headlineSentence(report)}`);
    say(`Report: ${run.file('report.html')}   (${formatDuration((now() - began) / 1000)} in all)`);
    return true;
  }
}

const packageNames = ['@memgen/core', '@memgen/weaver', '@memgen/sft', '@memgen/bench'];
/** What core stands on; only it can tell which versions it loads. */
const runtimePackageNames = ['@tensorflow/tfjs', '@huggingface/tokenizers', '@huggingface/jinja'];

/** The configuration of a run folder, with what a resumed run may change. @throws MemGenError as `parseExperiment`. */
export async function readExperimentOf(folder: string, overrides: readonly string[] = []): Promise<LoadedExperiment> {
  const path = join(folder, 'manifest.json');
  return parseExperiment((await readManifest(path)).config, path, overrides);
}

/** `tiny` is the model of this repository's own package. */
function modelSource({ reasoner }: Experiment): string {
  if (reasoner.model !== 'tiny') return reasoner.model;
  return modelFolder();
}

function revisionOf({ reasoner }: Experiment): { revision?: string } {
  return reasoner.revision === undefined ? {} : { revision: reasoner.revision };
}

function modelFacts({ reasoner: { model } }: Experiment, { origin }: Reasoner) {
  return {
    role: 'reasoner',
    id: model,
    config_sha256: origin.configHash,
    ...(origin.revision !== undefined && { revision: origin.revision }),
  };
}

function createWeaver({ weaver: settings, seed }: Experiment, { decoder, tokenizer }: Reasoner): LatentWeaver {
  return LatentWeaver.initialize(
    decoder,
    decoder.config.hiddenSize,
    {
      promptLatents: settings.promptLatentsLen,
      inferenceLatents: settings.inferenceLatentsLen,
      lora: settings.lora,
      initialization: settings.initialization,
      ...(settings.queryText !== undefined && { queryIds: tokenizer.encode(settings.queryText) }),
      ...(settings.latentToken !== undefined && { latentId: oneToken(tokenizer.encode(settings.latentToken)) }),
    },
    Random.fromSeed(seed).fork('weaver'),
  );
}

function oneToken(ids: readonly number[]): number {
  if (ids.length === 1) return ids[0]!;
  throw new MemGenError({
    code: 'config',
    where: 'weaver.latent_token',
    message: 'the text must be a single token of the reasoner',
    got: `${ids.length} tokens`,
  });
}

function overallOnly<T extends { families: readonly unknown[] }>(summary: T): T {
  return { ...summary, families: [] };
}

function gitFacts(): Pick<SessionFacts, 'git'> {
  const git = readGitState(dirname(fileURLToPath(import.meta.url)));
  return git === undefined ? {} : { git };
}

function millions(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} million` : count.toLocaleString('en');
}

function firstLine(text: string): string {
  return text.split('\n')[0]!;
}
