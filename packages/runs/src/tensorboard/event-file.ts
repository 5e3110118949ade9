// Writes scalars and texts to an event file that TensorBoard can follow while the run goes on.
import { join } from 'node:path';
import { AppendFile } from '../append-file.js';
import { fileVersionEvent, scalarsEvent, textEvent, type Scalars } from './event.js';
import { frameRecord } from './tf-record.js';

export interface EventFileOptions {
  /** Seconds since 1970 at which the run began; part of the file name, by which TensorBoard orders files. */
  startTime: number;
  /** Last part of the file name, usually the name of the machine. @default "memgen" */
  suffix?: string;
}

/** Appends to `<folder>/events.out.tfevents.<start>.<suffix>`, each step flushed. */
export class EventFile {
  private constructor(private readonly file: AppendFile) {}

  /** Starts a file. @throws MemGenError if it cannot be written. */
  static open(folder: string, { startTime, suffix = 'memgen' }: EventFileOptions): EventFile {
    const name = `events.out.tfevents.${Math.floor(startTime).toString().padStart(10, '0')}.${suffix}`;
    const file = AppendFile.open(join(folder, name));
    file.append(frameRecord(fileVersionEvent(startTime)));
    return new EventFile(file);
  }

  get path(): string {
    return this.file.path;
  }

  /** @param wallTime - seconds since 1970. */
  append(wallTime: number, step: number, scalars: Scalars): void {
    this.file.append(frameRecord(scalarsEvent(wallTime, step, scalars)));
  }

  /** Texts in Markdown under one tag. @param wallTime - seconds since 1970. */
  appendTexts(wallTime: number, step: number, tag: string, texts: readonly string[]): void {
    this.file.append(frameRecord(textEvent(wallTime, step, tag, texts)));
  }

  close(): void {
    this.file.close();
  }
}
