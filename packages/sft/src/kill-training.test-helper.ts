// Runs a training in a process of its own and kills it without warning.
import { fork } from 'node:child_process';
import { join } from 'node:path';

/** At which event to kill: gets each event and how many came before it (`step 3`, `writing 4`). */
export type IsTime = (event: string, before: number) => boolean;

/**
 * Sends SIGKILL to the training of `killed-run.test-helper.ts` at the first event that is wanted.
 * @returns the weights if the run ends before, else the name of the signal.
 */
export function trainUntil(folder: string, isTime: IsTime): Promise<unknown> {
  return runUntil(join(import.meta.dirname, 'killed-run.test-helper.ts'), [folder], isTime);
}

/**
 * The same for any script, which sends its events as texts and its result as anything else.
 * @returns the result if the script ends before, else the name of the signal.
 */
export function runUntil(script: string, words: readonly string[], isTime: IsTime): Promise<unknown> {
  const child = fork(script, words, {
    execArgv: ['--import', 'tsx', '--conditions=@memgen/source'],
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    let result: unknown;
    let events = 0;
    child.on('message', (told) => {
      if (typeof told !== 'string') result = told;
      else if (isTime(told, events++)) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('exit', (_, signal) => {
      resolve(result ?? signal);
    });
  });
}
