// The folder of a run's checkpoints: written aside and renamed, periodic, pruned to the newest few and the best.
import { MemGenError, recoverFolder, replaceFolder, toFileError } from '@memgen/common';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface CheckpointFolderOptions {
  /** Holds `step-000100`, ...; made when the first is written. One process at a time may train in it. */
  folder: string;
  /** Optimizer steps from one checkpoint to the next. @default 100 */
  everySteps?: number;
  /** Also whenever this many seconds have passed since the last one; needs `now`. @default never */
  everySeconds?: number;
  /** A clock in milliseconds, e.g. `() => performance.now()`. */
  now?: () => number;
  /** How many of the newest stay; the best one stays as well. @default 2 */
  keepLast?: number;
  /**
   * Go on from the newest checkpoint, if there is one; false refuses a folder that has any, so that two runs never mix.
   * @default true
   */
  resume?: boolean;
  /** Writes what else a checkpoint is to hold. @default weaver or adapter in the files of their own format */
  write?: (folder: string, step: number) => Promise<void>;
}

/** A checkpoint that is complete. */
export interface StoredCheckpoint {
  /** Optimizer steps done. */
  step: number;
  path: string;
}

/** Writes, lists and prunes the checkpoints of one run. */
export class CheckpointFolder {
  private lastSave: number | undefined;

  /** @throws MemGenError `sft-options` for a period or number that cannot be. */
  constructor(private readonly options: CheckpointFolderOptions) {
    const { everySteps = 100, everySeconds = Infinity, keepLast = 2, now } = options;
    requireSetting(Number.isInteger(everySteps) && everySteps > 0, 'everySteps', everySteps, 'a whole number from 1');
    requireSetting(Number.isInteger(keepLast) && keepLast > 0, 'keepLast', keepLast, 'a whole number from 1');
    requireSetting(everySeconds > 0, 'everySeconds', everySeconds, 'more than 0');
    requireSetting(
      everySeconds === Infinity || now !== undefined,
      'now',
      'nothing',
      'a clock, since everySeconds is given: () => performance.now()',
    );
    this.lastSave = now?.();
  }

  path(step: number): string {
    return join(this.options.folder, `step-${step.toString().padStart(6, '0')}`);
  }

  /** Complete checkpoints, oldest first. */
  async list(): Promise<StoredCheckpoint[]> {
    return (await this.names())
      .filter((name) => /^step-\d+$/.test(name))
      .map((name) => ({ step: Number(name.slice('step-'.length)), path: join(this.options.folder, name) }))
      .sort((a, b) => a.step - b.step);
  }

  /**
   * Clears up after a process that was killed while it wrote.
   * @returns the checkpoint to go on from.
   * @throws MemGenError `checkpoints-exist` when `resume` is false and there is one.
   */
  async open(): Promise<StoredCheckpoint | undefined> {
    const { folder, resume = true } = this.options;
    for (const name of await this.names()) {
      const interrupted = /^\.(step-\d+)\.previous$/.exec(name)?.[1];
      if (interrupted !== undefined) await recoverFolder(join(folder, interrupted));
      if (/^\.step-\d+\.(new-.+|previous)$/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
    const newest = (await this.list()).at(-1);
    if (newest === undefined || resume) return newest;
    throw new MemGenError({
      code: 'checkpoints-exist',
      where: folder,
      message: 'a new run would be mixed up with the checkpoints of an earlier one',
      got: `a checkpoint of step ${newest.step}`,
      expected: 'a folder without checkpoints, since resume is false',
      hint: 'choose another folder, remove the checkpoints, or go on from them with resume: true',
    });
  }

  due(step: number): boolean {
    const { everySteps = 100, everySeconds = Infinity, now } = this.options;
    const isLate = now !== undefined && now() - this.lastSave! >= everySeconds * 1000;
    return step % everySteps === 0 || isLate;
  }

  /**
   * Writes a checkpoint aside and renames it; older ones are pruned only when it is complete.
   * @param best - step of the best model, whose checkpoint stays.
   * @throws MemGenError `disk-full` and others of `replaceFolder`, naming the checkpoint that is still there.
   */
  async save(step: number, write: (folder: string) => Promise<void>, best?: number): Promise<void> {
    const { keepLast = 2, now } = this.options;
    try {
      await replaceFolder(this.path(step), write);
    } catch (error) {
      throw await this.explain(error, step);
    }
    this.lastSave = now?.();
    for (const old of (await this.list()).slice(0, -keepLast)) {
      if (old.step !== best) await rm(old.path, { recursive: true, force: true });
    }
  }

  private async names(): Promise<string[]> {
    const { folder } = this.options;
    return readdir(folder).catch((error: unknown): string[] => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw toFileError(error, 'list the checkpoints', folder);
    });
  }

  private async explain(error: unknown, step: number): Promise<unknown> {
    if (!MemGenError.isInstance(error)) return error;
    const newest = (await this.list()).at(-1);
    const left =
      newest === undefined
        ? 'there is no earlier checkpoint'
        : `the checkpoint of step ${newest.step} is whole, and the same call goes on from it`;
    return new MemGenError({
      code: error.code,
      where: this.path(step),
      message: `the checkpoint of step ${step} could not be written`,
      got: error.message.split('\n')[0]!,
      hint: error.hint === undefined ? left : `${error.hint}; ${left}`,
      cause: error,
    });
  }
}

/** @throws MemGenError `sft-options` unless the setting can be used. */
export function requireSetting(isValid: boolean, where: string, got: unknown, expected: string): void {
  if (isValid) return;
  throw new MemGenError({
    code: 'sft-options',
    where,
    message: 'this setting cannot be used',
    got: String(got),
    expected,
  });
}
