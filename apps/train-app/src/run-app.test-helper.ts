// Runs experiments as the app does, without a terminal and with a clock of its own, and interrupts them on request.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runExperiment, type ExperimentRequest } from './run-experiment.js';

/** A file of configs/. */
export function shippedConfig(name: string): string {
  return fileURLToPath(new URL(`../../../configs/${name}`, import.meta.url));
}

export interface AppRun {
  complete: boolean;
  said: string;
  next: readonly string[];
}

/** @param stopAt - the interrupt comes when this text is shown. */
export async function runApp(request: ExperimentRequest, stopAt?: string): Promise<AppRun> {
  const interrupt = new AbortController();
  let said = '';
  const show = (text: string) => {
    said += `${text}\n`;
    if (stopAt !== undefined && text.includes(stopAt)) interrupt.abort();
  };
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      show(chunk.toString());
      done();
    },
  });
  let time = Date.UTC(2026, 0, 1);
  // Seconds pass at every look at the clock, so that each step and each batch writes its line.
  const now = () => (time += 6000);
  const context = { say: show, stream, now, signal: interrupt.signal, command: ['npm', 'start'] };
  const { complete, next } = await runExperiment(request, context);
  return { complete, said, next };
}

/** Names and hashes of the weight files of the checkpoint of a step, those of the optimizer too. */
export function weightFiles(folder: string, step: number): [string, string][] {
  const checkpoint = join(folder, 'checkpoints', `step-${step.toString().padStart(6, '0')}`);
  return readdirSync(checkpoint, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.safetensors'))
    .sort()
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(checkpoint, name)))
        .digest('hex'),
    ]);
}
