// Ctrl-C: once asks the work to end cleanly, twice ends the process.
import { constants } from 'node:os';

export interface InterruptOptions {
  /** Where signals come from. @default process */
  source?: Pick<NodeJS.Process, 'on' | 'off'>;
  /** Ends the process. @default process.exit */
  exit?: (code: number) => void;
  /** Tells the person what happens now. */
  say: (text: string) => void;
}

export interface Interrupts {
  /** Aborted by the first Ctrl-C or termination signal: finish the step, save, stop. */
  signal: AbortSignal;
  /** Goes back to the ordinary meaning of the signals. */
  dispose(): void;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Listens for SIGINT and SIGTERM until disposed. The second one exits with 128 + the number of the signal (130 for Ctrl-C).
 * Signals are only heard when the event loop turns, so a loop of long synchronous steps must await something real (e.g.
 * `setImmediate`) between them.
 */
export function watchInterrupts({
  source = process,
  exit = (code) => process.exit(code),
  say,
}: InterruptOptions): Interrupts {
  const controller = new AbortController();
  const hear = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      exit(128 + constants.signals[signal]);
      return;
    }
    say('Stopping: this step is finished and a checkpoint is saved first. Press Ctrl-C again to stop at once.');
    controller.abort(signal);
  };
  for (const signal of signals) source.on(signal, hear);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const signal of signals) source.off(signal, hear);
    },
  };
}
