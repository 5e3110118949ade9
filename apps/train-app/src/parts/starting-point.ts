// `from`: the checkpoint that a part starts with, given by its own folder or by that of its run.
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { MemGenError } from '@memgen/common';
import { listCheckpoints, readManifest } from '@memgen/runs';
import { z } from 'zod';
import type { ExperimentFile } from '../config/load-experiment.js';

const parts = ['weaver', 'trigger', 'adapter'] as const;

/** What a finished run says about the checkpoint that was evaluated, which may be an earlier one than the last. */
const resultsSchema = z.looseObject({ checkpoint: z.string().regex(/^step-\d+$/) });

/**
 * @param from - a run folder or a checkpoint folder.
 * @returns the absolute path of the checkpoint.
 * @throws MemGenError `start-missing`.
 */
export async function findCheckpoint(from: string): Promise<string> {
  const folder = resolve(from);
  if (isCheckpoint(folder)) return folder;
  if (!existsSync(join(folder, 'manifest.json'))) {
    throw missing(folder, 'there is nothing to start with', existsSync(folder) ? 'another folder' : 'no such folder');
  }
  const { results, status } = await readManifest(join(folder, 'manifest.json'));
  const evaluated = resultsSchema.safeParse(results).data?.checkpoint;
  const checkpoints = await listCheckpoints(folder);
  const chosen = checkpoints.find(({ path }) => basename(path) === evaluated) ?? checkpoints.at(-1);
  if (chosen === undefined) throw missing(folder, 'the run has no checkpoint to start with', `a run that is ${status}`);
  return chosen.path;
}

/** The same settings with every `from` as the path of a checkpoint: what a resumed run starts with again. */
export async function withStartingPoints(file: ExperimentFile): Promise<ExperimentFile> {
  const result = { ...file };
  for (const part of parts) {
    const { from } = file[part];
    if (from !== undefined) Object.assign(result, { [part]: { ...file[part], from: await findCheckpoint(from) } });
  }
  return result;
}

function isCheckpoint(folder: string): boolean {
  return existsSync(join(folder, 'memgen.json')) || existsSync(join(folder, 'adapter', 'adapter_config.json'));
}

function missing(where: string, message: string, got: string): MemGenError {
  return new MemGenError({
    code: 'start-missing',
    where,
    message,
    got,
    expected: 'a run folder, or a folder of its checkpoints such as checkpoints/step-000100',
  });
}
