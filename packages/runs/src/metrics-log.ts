// The metrics of a run: metrics.jsonl, which is the record, and TensorBoard events, which are a copy of it.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { z } from 'zod';
import { AppendFile } from './append-file.js';
import { isoTime, type Clock } from './clock.js';
import { jsonLine, readJsonLines } from './json-lines.js';
import { EventFile } from './tensorboard/event-file.js';
import type { Scalars } from './tensorboard/event.js';

/** One line of metrics.jsonl: `step`, `time` (ISO 8601) and any numbers; `null` stands for one that was not finite. */
export type MetricsRecord = z.infer<typeof metricsRecordSchema>;

const metricsRecordSchema = z
  .object({ step: z.int().nonnegative(), time: z.iso.datetime() })
  .catchall(z.number().nullable());

/** The metrics of the run in `folder`, in the order they were written. @throws MemGenError naming a damaged line. */
export function readMetrics(folder: string): MetricsRecord[] {
  return readJsonLines(join(folder, 'metrics.jsonl'), (value) => metricsRecordSchema.parse(value));
}

/** Appends metrics to both files. Each step's numbers are on disk (with the operating system) when `append` returns. */
export class MetricsLog {
  private constructor(
    private readonly lines: AppendFile,
    private readonly events: EventFile,
    private readonly clock: Clock,
    /** Names that the last kept step already has: evaluating a checkpoint again after a resume adds nothing. */
    private readonly known: { step: number; names: ReadonlySet<string> },
  ) {}

  /**
   * Opens the log of a run.
   *
   * @param lastStep - metrics of later steps are cut from both files, so that a resumed run repeats none of them.
   */
  static async open(folder: string, { clock, lastStep }: { clock: Clock; lastStep: number }): Promise<MetricsLog> {
    const path = join(folder, 'metrics.jsonl');
    const kept = readMetrics(folder).filter(({ step }) => step <= lastStep);
    await writeFileAtomically(path, kept.map(jsonLine).join(''));
    const events = rebuildEvents(join(folder, 'tensorboard'), kept, clock() / 1000);
    const names = kept.filter(({ step }) => step === lastStep).flatMap((record) => Object.keys(scalarsOf(record)));
    return new MetricsLog(AppendFile.open(path), events, clock, { step: lastStep, names: new Set(names) });
  }

  /** @param values - numbers by name, e.g. `{ 'train/loss': 1.2 }`; `step` and `time` are taken. */
  append(step: number, values: Scalars): void {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw metricsError('a step is a whole number from 0 on', String(step));
    }
    for (const [name, value] of Object.entries(values)) {
      if (name === 'step' || name === 'time') throw metricsError('this name belongs to the record itself', name);
      if (typeof value !== 'number') throw metricsError('a metric is a number', `${name} = ${JSON.stringify(value)}`);
    }
    const fresh = step === this.known.step ? withoutNames(values, this.known.names) : values;
    if (Object.keys(fresh).length === 0) return;
    const now = this.clock();
    this.lines.append(jsonLine({ step, time: isoTime(now), ...fresh }));
    this.events.append(now / 1000, step, fresh);
  }

  /** Shows texts in TensorBoard; they are no metrics, so their record is elsewhere. */
  appendTexts(step: number, tag: string, texts: readonly string[]): void {
    this.events.appendTexts(this.clock() / 1000, step, tag, texts);
  }

  close(): void {
    this.lines.close();
    this.events.close();
  }
}

/** Writes the events anew: whatever a crash did to the old file, the new one says what metrics.jsonl says. */
function rebuildEvents(folder: string, records: readonly MetricsRecord[], now: number): EventFile {
  for (const name of listOrNone(folder)) {
    if (name.startsWith('events.out.tfevents.')) rmSync(join(folder, name));
  }
  const first = records[0];
  const events = EventFile.open(folder, { startTime: first === undefined ? now : seconds(first) });
  for (const record of records) events.append(seconds(record), record.step, scalarsOf(record));
  return events;
}

function listOrNone(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function seconds(record: MetricsRecord): number {
  return Date.parse(record.time) / 1000;
}

function scalarsOf(record: MetricsRecord): Scalars {
  const values = Object.entries(record).filter(([name]) => name !== 'step' && name !== 'time');
  return Object.fromEntries(values.map(([name, value]) => [name, typeof value === 'number' ? value : NaN]));
}

function withoutNames(values: Scalars, names: ReadonlySet<string>): Scalars {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.has(name)));
}

function metricsError(message: string, got: string): MemGenError {
  return new MemGenError({ code: 'metrics', where: 'metrics.jsonl', message, got });
}
