// Runs one measuring process and passes on what it says.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { readMessage, type Message } from './message.js';
import type { Job } from './suite.js';

/**
 * @param onMessage - called for each figure and failure as it comes, and waited for.
 * @returns why the process failed as a whole: the end of what it wrote to standard error; undefined if it did not.
 */
export async function runJob(
  { program, words }: Pick<Job, 'program' | 'words'>,
  onMessage: (message: Message) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = `${errors}${text}`.slice(-4000);
  });
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => {
      resolve(error.message);
    });
    child.on('close', (code, killed) => {
      const last = errors.trim().split('\n').slice(-4).join('\n');
      resolve(code === 0 ? undefined : `ended with ${code ?? killed ?? 'no code'}${last === '' ? '' : `: ${last}`}`);
    });
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const message = readMessage(line);
    if (message !== undefined) await onMessage(message);
  }
  return ended;
}
