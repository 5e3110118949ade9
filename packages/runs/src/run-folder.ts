// The folder that a run leaves behind, and the one process that may write to it.
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MemGenError, toFileError, writeFileAtomically } from '@memgen/common';
import { readAnswers, type AnswerRecord } from './answers.js';
import { AppendFile } from './append-file.js';
import { checkpointPath, listCheckpoints, type Checkpoint } from './checkpoints.js';
import { isoTime, type Clock } from './clock.js';
import { groupBy } from './group-by.js';
import { jsonLine } from './json-lines.js';
import { manifestVersion, readManifest, writeManifest } from './manifest.js';
import type { RunManifest, RunSession, RunStatus } from './manifest.js';
import { MetricsLog } from './metrics-log.js';
import { describeMachine } from './provenance/machine.js';
import { RunLock, lockName } from './run-lock.js';
import { readSamples, sampleMarkdown, samplesName, type SampleRecord } from './samples.js';
import type { Scalars } from './tensorboard/event.js';

/** As many of a step's samples as a person looks at; all are in samples.jsonl. */
const shownSamples = 4;

/** What a process tells about itself; the machine is looked up unless given. */
export type SessionFacts = Pick<RunSession, 'command' | 'backend' | 'packages' | 'git'> &
  Partial<Pick<RunSession, 'machine'>>;

/** What a new run tells about itself. */
export type NewRun = Pick<RunManifest, 'name' | 'seed' | 'config' | 'models' | 'data'> & { session: SessionFacts };

export interface CreateRunOptions {
  manifest: NewRun;
  clock: Clock;
}

export interface ResumeRunOptions {
  session: SessionFacts;
  clock: Clock;
  /** Go on from this step instead of the newest checkpoint. Must be 0 or the step of a checkpoint. */
  step?: number;
}

/**
 * A run folder, locked by this process until {@link RunFolder.close}:
 * `manifest.json`, `metrics.jsonl`, `answers.jsonl`, `samples.jsonl` (where there are any),
 * `tensorboard/`, `checkpoints/step-<n>/` and what the application adds.
 */
export class RunFolder {
  private manifestWrite: Promise<void> = Promise.resolve();
  private closed = false;
  private samplesFile: AppendFile | undefined;

  private constructor(
    /** Absolute path. */
    readonly path: string,
    /** The checkpoint that a resumed run goes on from; `undefined` for one that begins at step 0. */
    readonly resumedFrom: Checkpoint | undefined,
    private currentManifest: RunManifest,
    private readonly lock: RunLock,
    private readonly clock: Clock,
    private readonly metrics: MetricsLog,
    private readonly answersFile: AppendFile,
  ) {}

  /**
   * Starts a run in a new or empty folder.
   *
   * @throws MemGenError with code `run-exists` (there is a run already), `run-folder-foreign` (there is something else),
   * `run-locked` (another process is at work), or one of the operating system such as `disk-full`.
   */
  static async create(path: string, { manifest, clock }: CreateRunOptions): Promise<RunFolder> {
    const folder = resolve(path);
    await refuseContent(folder);
    try {
      await mkdir(folder, { recursive: true });
    } catch (error) {
      throw toFileError(error, 'make the run folder', folder);
    }
    return await underLock(folder, async (lock) => {
      // Again, now that nobody else can write: another run may have come and gone since the first look.
      await refuseContent(folder, { locked: true });
      const { session, ...facts } = manifest;
      const initial: RunManifest = {
        schema_version: manifestVersion,
        status: 'running',
        ...facts,
        sessions: [startSession(session, clock, 0)],
      };
      return await RunFolder.open(folder, undefined, initial, lock, clock);
    });
  }

  /**
   * Goes on with a run: takes over the lock of a dead process, cuts metrics and answers of steps after the checkpoint
   * (they will come again), and notes the new session in the manifest.
   *
   * @throws MemGenError with code `run-missing`, `run-locked`, `manifest`, or `checkpoint-missing`.
   */
  static async resume(path: string, { session, clock, step }: ResumeRunOptions): Promise<RunFolder> {
    const folder = resolve(path);
    if (!(await listOrNone(folder)).includes('manifest.json')) {
      throw new MemGenError({
        code: 'run-missing',
        where: folder,
        message: 'there is no run to go on with',
        expected: 'a folder with the manifest.json of a run',
        hint: 'check the path, or start a new run',
      });
    }
    return await underLock(folder, async (lock) => {
      const manifest = await readManifest(join(folder, 'manifest.json'));
      const checkpoint = chooseCheckpoint(folder, await listCheckpoints(folder), step);
      const continued: RunManifest = {
        ...manifest,
        status: 'running',
        sessions: [...manifest.sessions, startSession(session, clock, checkpoint?.step ?? 0)],
      };
      return await RunFolder.open(folder, checkpoint, continued, lock, clock);
    });
  }

  private static async open(
    folder: string,
    checkpoint: Checkpoint | undefined,
    manifest: RunManifest,
    lock: RunLock,
    clock: Clock,
  ): Promise<RunFolder> {
    const lastStep = checkpoint?.step ?? 0;
    const answersPath = join(folder, 'answers.jsonl');
    const kept = readAnswers(folder).filter((answer) => answer.step <= lastStep);
    await writeFileAtomically(answersPath, kept.map(jsonLine).join(''));
    const metrics = await MetricsLog.open(folder, { clock, lastStep });
    const samples = await keepSamples(folder, lastStep);
    await writeManifest(join(folder, 'manifest.json'), manifest);
    const run = new RunFolder(folder, checkpoint, manifest, lock, clock, metrics, AppendFile.open(answersPath));
    for (const [step, ofStep] of groupBy(samples, (sample) => sample.step)) run.showSamples(step, ofStep);
    return run;
  }

  /** The manifest as it was last given; change it with {@link updateManifest}. */
  get manifest(): Readonly<RunManifest> {
    return this.currentManifest;
  }

  /** Path of a file of the application inside the folder, e.g. `report.html`. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Where the checkpoint of `step` belongs; write it with `replaceFolder` so that it is never seen half-written. */
  checkpointPath(step: number): string {
    return checkpointPath(this.path, step);
  }

  /** Replaces members of the manifest and writes it atomically; calls are carried out one after the other. */
  async updateManifest(patch: Partial<Omit<RunManifest, 'schema_version'>>): Promise<void> {
    this.currentManifest = { ...this.currentManifest, ...patch };
    const snapshot = this.currentManifest;
    const write = this.manifestWrite.then(() => writeManifest(this.file('manifest.json'), snapshot));
    // A failed write is told to its caller and does not stop the next one.
    this.manifestWrite = write.catch(() => undefined);
    await write;
  }

  /**
   * Appends to metrics.jsonl and the TensorBoard events, flushed. Append the numbers of a step before its checkpoint is
   * written, so that a resume finds them.
   *
   * @param values - finite or not; NaN and infinities are `null` in metrics.jsonl.
   * @throws MemGenError, e.g. with code `disk-full`.
   */
  appendMetrics(step: number, values: Scalars): void {
    this.metrics.append(step, values);
  }

  /** Appends to answers.jsonl, flushed. */
  appendAnswer(answer: AnswerRecord): void {
    this.answersFile.append(jsonLine(answer));
  }

  /**
   * Appends to samples.jsonl what a policy wrote for one optimizer step, flushed; the first few are shown in TensorBoard.
   * Append them before the checkpoint of the step is written.
   */
  appendSamples(step: number, samples: readonly Omit<SampleRecord, 'step'>[]): void {
    if (samples.length === 0) return;
    const records = samples.map((sample) => ({ ...sample, step })) as SampleRecord[];
    this.samplesFile ??= AppendFile.open(this.file(samplesName));
    this.samplesFile.append(records.map(jsonLine).join(''));
    this.showSamples(step, records);
  }

  private showSamples(step: number, samples: readonly SampleRecord[]): void {
    this.metrics.appendTexts(step, 'samples', samples.slice(0, shownSamples).map(sampleMarkdown));
  }

  /** Closes all files, notes end time and status, and gives the folder free. Further calls do nothing. */
  async close(status: Exclude<RunStatus, 'running'>): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      this.metrics.close();
      this.answersFile.close();
      this.samplesFile?.close();
      const last = this.currentManifest.sessions.at(-1)!;
      const sessions = [...this.currentManifest.sessions.slice(0, -1), { ...last, ended_at: isoTime(this.clock()) }];
      await this.updateManifest({ status, sessions });
    } finally {
      this.lock.release();
    }
  }
}

/** Cuts the samples of later steps; a run without any has no file of them. */
async function keepSamples(folder: string, lastStep: number): Promise<SampleRecord[]> {
  const path = join(folder, samplesName);
  if (!existsSync(path)) return [];
  const kept = readSamples(folder).filter(({ step }) => step <= lastStep);
  await writeFileAtomically(path, kept.map(jsonLine).join(''));
  return kept;
}

async function underLock(folder: string, work: (lock: RunLock) => Promise<RunFolder>): Promise<RunFolder> {
  const lock = RunLock.acquire(folder);
  try {
    return await work(lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function startSession(facts: SessionFacts, clock: Clock, fromStep: number): RunSession {
  return { machine: describeMachine(), ...facts, started_at: isoTime(clock()), from_step: fromStep };
}

function chooseCheckpoint(folder: string, checkpoints: readonly Checkpoint[], step?: number): Checkpoint | undefined {
  if (step === undefined) return checkpoints.at(-1);
  const chosen = checkpoints.find((checkpoint) => checkpoint.step === step);
  if (chosen === undefined && step !== 0) {
    throw new MemGenError({
      code: 'checkpoint-missing',
      where: folder,
      message: 'the run has no checkpoint of this step',
      got: `step ${step}`,
      expected: checkpoints.length === 0 ? 'step 0 (there is none)' : checkpoints.map((c) => c.step).join(', '),
    });
  }
  return chosen;
}

/** @param locked - whether we hold the lock; otherwise a lock in the folder is left to {@link RunLock} to judge. */
async function refuseContent(folder: string, { locked = false } = {}): Promise<void> {
  const names = await listOrNone(folder);
  if (!locked && names.includes(lockName)) return;
  const isRun = names.includes('manifest.json');
  // What an atomic write left behind when its process was killed is no content.
  const content = names.filter((name) => name !== lockName && !/^\..*\.tmp-/.test(name));
  if (content.length === 0) return;
  throw new MemGenError({
    code: isRun ? 'run-exists' : 'run-folder-foreign',
    where: folder,
    message: isRun ? 'there is a run in this folder already' : 'the folder is not empty and not a run',
    got: content.slice(0, 5).join(', ') + (content.length > 5 ? `, and ${content.length - 5} more` : ''),
    expected: 'a new or empty folder',
    hint: isRun ? 'go on with it by --resume, or choose another folder' : 'choose another folder',
  });
}

async function listOrNone(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw toFileError(error, 'look into the run folder', folder);
  }
}
