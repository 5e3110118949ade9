// Runs the training of `killed-run.test-helper.ts` in a process of its own and kills it without warning.
import { fork } from 'node:child_process';
import { join } from 'node:path';

/**
 * Sends SIGKILL at the first event that is wanted.
 * @param isTime - gets each event and how many came before it: `step 3`, `writing 4`.
 * @returns the weights if the run ends before, else the name of the signal.
 */
export function trainUntil(folder: string, isTime: (event: string, before: number) => boolean): Promise<unknown> {
  const child = fork(join(import.meta.dirname, 'killed-run.test-helper.ts'), [folder], {
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
