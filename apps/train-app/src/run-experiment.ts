// An experiment and those that follow it: each in a run folder of its own, each with the weaver of the one before.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MemGenError } from '@memgen/common';
import { readManifest } from '@memgen/runs';
import { parseExperiment, type LoadedExperiment } from './config/load-experiment.js';
import { outputPath } from './config/output-path.js';
import type { ExperimentContext } from './experiment-context.js';
import { runOneExperiment } from './run-one-experiment.js';

export type ExperimentRequest =
  | { loaded: LoadedExperiment; out?: string }
  /** `overrides`: settings of the evaluation that are to change, see `parseExperiment`. */
  | { resume: string; overrides?: readonly string[] };

export interface ExperimentOutcome {
  /** Of the first experiment. */
  folder: string;
  /** Whether it and all that follow reached their ends. */
  complete: boolean;
  /** The folders of those that followed. */
  next: readonly string[];
}

/** Runs or resumes an experiment, and then what follows it. */
export async function runExperiment(
  request: ExperimentRequest,
  context: ExperimentContext,
): Promise<ExperimentOutcome> {
  const isResumed = 'resume' in request;
  const loaded = isResumed ? await readExperimentOf(request.resume, request.overrides) : request.loaded;
  const folder = isResumed ? resolve(request.resume) : resolve(request.out ?? folderOf(loaded, context));
  const { next } = loaded;
  const nextFolder = next && ((await knownNextRun(folder)) ?? newNextFolder(request, folder, next, context));
  const complete = await runOneExperiment(
    {
      loaded,
      folder,
      isResumed,
      isChanged: isResumed && request.overrides !== undefined,
      ...(nextFolder !== undefined && { nextFolder }),
    },
    context,
  );
  if (!complete || next === undefined || nextFolder === undefined) return { folder, complete, next: [] };

  context.say(`\nNext: ${next.experiment.name}\n`);
  const isBegun = existsSync(join(nextFolder, 'manifest.json'));
  const following = await runExperiment(
    isBegun ? { resume: nextFolder } : { loaded: startingWith(loaded, folder, next), out: nextFolder },
    context,
  );
  return { folder, complete: following.complete, next: [following.folder, ...following.next] };
}

/** The configuration of a run folder, with what a resumed run may change. @throws MemGenError as `parseExperiment`. */
export async function readExperimentOf(folder: string, overrides: readonly string[] = []): Promise<LoadedExperiment> {
  const path = join(folder, 'manifest.json');
  return parseExperiment((await readManifest(path)).config, path, overrides);
}

/** Parts that the first experiment had in use, where the next one does not name others. */
function startingWith({ experiment }: LoadedExperiment, folder: string, next: LoadedExperiment): LoadedExperiment {
  const { train } = experiment.training;
  const passed = train === 'trigger' ? (['weaver', 'trigger'] as const) : train === 'reasoner' ? [] : [train];
  if (experiment.reasoner.model !== next.experiment.reasoner.model) {
    throw new MemGenError({
      code: 'config-next',
      where: 'next',
      message: 'what was trained for one reasoner is of no use to another',
      got: next.experiment.reasoner.model,
      expected: experiment.reasoner.model,
    });
  }
  const { resolved } = next;
  const started = { ...resolved };
  for (const part of passed) {
    if (resolved[part].from === undefined) Object.assign(started, { [part]: { ...resolved[part], from: folder } });
  }
  const parsed = parseExperiment(started, next.experiment.name);
  return next.next === undefined ? parsed : { ...parsed, next: next.next };
}

function folderOf({ experiment: { output, name, seed } }: LoadedExperiment, { now }: ExperimentContext): string {
  return outputPath(output, { name, seed, now: new Date(now()) });
}

/** Beside the folder that was asked for, else where the next experiment wants to be. */
function newNextFolder(
  request: ExperimentRequest,
  folder: string,
  next: LoadedExperiment,
  context: ExperimentContext,
): string {
  const isNamed = 'resume' in request || request.out !== undefined;
  return isNamed ? `${folder}-${next.experiment.name}` : resolve(folderOf(next, context));
}

/** The folder of the next run that the manifest of this one names. */
async function knownNextRun(folder: string): Promise<string | undefined> {
  if (!existsSync(join(folder, 'manifest.json'))) return undefined;
  const { next_run: known } = await readManifest(join(folder, 'manifest.json'));
  return typeof known === 'string' ? resolve(folder, known) : undefined;
}
