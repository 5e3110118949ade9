// Progress of a long piece of work: a bar on a terminal, a plain line every few seconds elsewhere.
import { SingleBar } from 'cli-progress';
import { formatDuration } from './format-duration.js';
import { RateMeter } from './rate-meter.js';

/** What is needed of `process.stderr`. */
export type ProgressStream = NodeJS.WritableStream & { isTTY?: boolean };

export interface ProgressOptions {
  /** What is going on, e.g. `training`. */
  label: string;
  /** How many pieces there are in all. */
  total: number;
  /** Pieces done before, by the run that is resumed. @default 0 */
  done?: number;
  stream: ProgressStream;
  /** Milliseconds, e.g. `Date.now`. */
  clock: () => number;
  /** Seconds between two lines where there is no terminal. @default 5 */
  interval?: number;
}

/**
 * Shows how far a piece of work is. On a terminal one line is drawn over and over; in a log there is a first line, one
 * every few seconds, and a last one. Call {@link Progress.stop} in every case, it gives the cursor back.
 */
export class Progress {
  private readonly options: Required<ProgressOptions>;
  private readonly meter: RateMeter;
  private readonly bar: SingleBar | undefined;
  private done: number;
  private facts = '';
  private lastLine = { time: -Infinity, text: '' };

  constructor({ done = 0, interval = 5, ...options }: ProgressOptions) {
    this.options = { done, interval, ...options };
    this.done = done;
    this.meter = new RateMeter(options.clock());
    this.bar = options.stream.isTTY === true ? startBar(options.stream, options.label, options.total, done) : undefined;
  }

  /**
   * @param done - pieces done by now, in all.
   * @param facts - more to show, e.g. `['loss 1.234', '512 tokens/s']`.
   */
  advance(done: number, facts: readonly string[] = []): void {
    const now = this.options.clock();
    this.meter.add(done - this.done, now);
    this.done = done;
    this.facts = facts.join('  ');
    this.bar?.update(done, { details: this.details() });
    if (this.bar === undefined && now - this.lastLine.time >= this.options.interval * 1000) this.writeLine(now);
  }

  /** Prints a line of its own without disturbing the bar. */
  note(text: string): void {
    const clearLine = this.bar === undefined ? '' : '\r\u001b[K';
    this.options.stream.write(`${clearLine}${text}\n`);
  }

  /** Shows the last state and ends the line. */
  stop(): void {
    this.bar?.stop();
    if (this.bar === undefined) this.writeLine(this.options.clock());
  }

  private writeLine(now: number): void {
    const { label, total, stream } = this.options;
    const percent = Math.floor((100 * this.done) / Math.max(1, total));
    const text = `${label}  ${this.done}/${total}  ${percent} %  ${this.details()}\n`;
    if (text !== this.lastLine.text) stream.write(text);
    this.lastLine = { time: now, text };
  }

  private details(): string {
    const left = this.options.total - this.done;
    const ending = left > 0 ? `${formatDuration(left / this.meter.perSecond())} left` : 'done';
    return this.facts === '' ? ending : `${this.facts}  ${ending}`;
  }
}

function startBar(stream: ProgressStream, label: string, total: number, done: number): SingleBar {
  const bar = new SingleBar({
    stream,
    format: `${label}  {bar}  {value}/{total}  {details}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    fps: 5,
    hideCursor: true,
    // Ctrl-C belongs to the app: it ends a step and saves before the bar may go.
    gracefulExit: false,
  });
  bar.start(total, done, { details: '' });
  return bar;
}
