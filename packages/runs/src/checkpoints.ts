// Where a run keeps its checkpoints: one folder for each step, named so that they sort. Trainers write and prune them.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { recoverFolder, toFileError } from '@memgen/common';

/** A checkpoint that is complete; one being written has another name (see `replaceFolder` of `@memgen/common`). */
export interface Checkpoint {
  /** Optimizer steps done. */
  step: number;
  path: string;
}

/** `<run>/checkpoints/step-000794`; hand it to `replaceFolder` so that it appears only when it is complete. */
export function checkpointPath(runFolder: string, step: number): string {
  return join(runFolder, 'checkpoints', `step-${step.toString().padStart(6, '0')}`);
}

/** The checkpoints of a run, oldest step first; none for a folder without any. */
export async function listCheckpoints(runFolder: string): Promise<Checkpoint[]> {
  const folder = join(runFolder, 'checkpoints');
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw toFileError(error, 'list the checkpoints', folder);
  });
  for (const name of names) {
    const interrupted = /^\.(step-\d+)\.previous$/.exec(name)?.[1];
    if (interrupted !== undefined && (await recoverFolder(join(folder, interrupted)))) names.push(interrupted);
  }
  return names
    .filter((name) => /^step-\d+$/.test(name))
    .map((name) => ({ step: Number(name.slice('step-'.length)), path: join(folder, name) }))
    .sort((a, b) => a.step - b.step);
}
