// One experiment in its run folder: backend, reasoner, task, parts, training, evaluation, report.
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ChatTemplate,
  loadReasoner,
  requireTrainedWeaver,
  startBackend,
  type BackendInfo,
  type Reasoner,
} from '@memgen/core';
import { readGitState, readManifest, readPackageVersions, RunFolder, type SessionFacts } from '@memgen/runs';
import { modelFolder } from '@memgen/tiny-reasoner';
import { parseExperiment, withNext, type Experiment, type LoadedExperiment } from './config/load-experiment.js';
import { disposeParts, makeParts, type Parts } from './parts/parts.js';
import { withStartingPoints } from './parts/starting-point.js';
import type { ExperimentContext } from './experiment-context.js';
import { requireSameInputs } from './same-inputs.js';
import { createTask } from './tasks/create-task.js';
import type { Task } from './tasks/task.js';
import { trainAndEvaluate } from './train-and-evaluate.js';

export interface OneExperiment {
  loaded: LoadedExperiment;
  /** Absolute. */
  folder: string;
  isResumed: boolean;
  /** Whether the configuration of a resumed run differs from that in its manifest. */
  isChanged: boolean;
  /** Absolute path of the run that follows, for the manifest. */
  nextFolder?: string;
}

/** @returns whether the run reached its end. */
export async function runOneExperiment(one: OneExperiment, context: ExperimentContext): Promise<boolean> {
  const { say, now, signal } = context;
  const began = now();
  const loaded = one.isResumed ? one.loaded : await withCheckpoints(one.loaded);
  const { experiment } = loaded;
  const backend = await startBackend({ backend: experiment.backend });
  say(`Backend: ${backend.name} ${backend.version} (${backend.reason})`);
  for (const { name, problem } of backend.tried) say(`  not ${name}: ${problem.split('\n')[0]!}`);
  const reasoner = await loadReasoner(modelSource(experiment), revisionOf(experiment));
  let parts: Parts = {};
  let task: Task | undefined;
  try {
    say(`Reasoner: ${experiment.reasoner.model}, ${millions(reasoner.parameterCount)} parameters, frozen`);
    task = await createTask(experiment);
    say(task.story);
    parts = await makeParts(experiment, reasoner);
    await refuseUntrainedWeaver(experiment, parts);
    const run = await openRun({ ...one, loaded }, { backend, reasoner, task }, context);
    say(`Run folder: ${run.path}`);
    for (const line of describeParts(experiment, parts)) say(line);
    try {
      const template =
        experiment.reasoner.chatTemplate === 'own'
          ? ChatTemplate.ofTokenizer(reasoner.tokenizer)
          : ChatTemplate.chatMl();
      const shared = { experiment, backend, reasoner, template, task, parts, run, began, signal };
      const complete = await trainAndEvaluate(shared, context);
      await run.close(complete ? 'finished' : 'interrupted');
      if (!complete) say(`Stopped. Go on with: npm start -- --resume ${run.path}`);
      return complete;
    } catch (error) {
      await run.close('failed').catch(() => undefined);
      throw error;
    }
  } finally {
    disposeParts(parts);
    reasoner.decoder.dispose();
    await task?.dispose?.();
  }
}

/** What the run starts with, as paths that a resumed run finds again. */
async function withCheckpoints(loaded: LoadedExperiment): Promise<LoadedExperiment> {
  const parsed = parseExperiment(await withStartingPoints(loaded.resolved), loaded.experiment.name);
  return loaded.next === undefined ? parsed : { ...parsed, next: loaded.next };
}

/** Before the work of an hour, not after it. */
async function refuseUntrainedWeaver({ training: { train, grpo } }: Experiment, { weaver }: Parts): Promise<void> {
  if (train !== 'trigger') return;
  await requireTrainedWeaver(weaver!, { allowUntrainedWeaver: grpo.allowUntrainedWeaver });
}

async function openRun(
  { loaded, folder, isResumed, isChanged, nextFolder }: OneExperiment,
  { backend, reasoner, task }: { backend: BackendInfo; reasoner: Reasoner; task: Task },
  { command, now }: ExperimentContext,
): Promise<RunFolder> {
  const { experiment } = loaded;
  const clock = () => now();
  const config = withNext(loaded);
  const session: SessionFacts = {
    command: [...command],
    backend: { name: backend.name, version: backend.version, reason: backend.reason },
    packages: {
      ...readPackageVersions(packageNames, import.meta.url),
      ...readPackageVersions(runtimePackageNames, import.meta.resolve('@memgen/core')),
    },
    ...gitFacts(),
  };
  const model = modelFacts(experiment, reasoner);
  if (isResumed) {
    const path = join(folder, 'manifest.json');
    requireSameInputs(await readManifest(path), { data: task.data, model }, path);
  }
  const run = isResumed
    ? await RunFolder.resume(folder, { session, clock })
    : await RunFolder.create(folder, {
        clock,
        manifest: {
          name: experiment.name,
          seed: experiment.seed,
          config,
          models: [model],
          data: task.data.map((facts) => ({ ...facts })),
          session,
        },
      });
  if (isChanged) await run.updateManifest({ config });
  // Relative, so that both may be moved together.
  if (nextFolder !== undefined) await run.updateManifest({ next_run: relative(run.path, nextFolder) });
  return run;
}

const packageNames = ['core', 'weaver', 'trigger', 'sft', 'grpo', 'bench'].map((name) => `@memgen/${name}`);
/** What core stands on; only it can tell which versions it loads. */
const runtimePackageNames = ['@tensorflow/tfjs', '@huggingface/tokenizers', '@huggingface/jinja'];

/** `tiny` is the model of this repository's own package. */
function modelSource({ reasoner }: Experiment): string {
  return reasoner.model === 'tiny' ? modelFolder() : reasoner.model;
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

function gitFacts(): Pick<SessionFacts, 'git'> {
  const git = readGitState(fileURLToPath(new URL('.', import.meta.url)));
  return git === undefined ? {} : { git };
}

/** A line for each part: its size, and whether it is trained or brought along. */
function describeParts(experiment: Experiment, parts: Parts): string[] {
  const { train } = experiment.training;
  const from = { weaver: experiment.weaver.from, trigger: experiment.trigger.from, adapter: experiment.adapter.from };
  const line = (name: 'weaver' | 'trigger' | 'adapter', more = '') => {
    const part = parts[name];
    if (part === undefined) return [];
    const size = [...part.parameters().values()].reduce((sum, variable) => sum + variable.size, 0);
    const role = train === name ? 'trained' : 'as it is';
    const start = from[name] === undefined ? '' : `, from ${from[name]}`;
    return [`${name[0]!.toUpperCase()}${name.slice(1)}: ${millions(size)} parameters${more}, ${role}${start}`];
  };
  return [
    ...line('weaver', `, ${parts.weaver?.latentCounts.prompt} latents after the prompt`),
    ...line('trigger'),
    ...line('adapter'),
    ...(parts.decoder === undefined ? [] : ['A copy of the reasoner: all of its parameters are trained']),
  ];
}

function millions(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} million` : count.toLocaleString('en');
}
