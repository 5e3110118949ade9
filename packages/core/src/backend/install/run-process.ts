// Runs a program to its end and gives back what it said.
import { spawn } from 'node:child_process';

export interface ProcessResult {
  /** Exit code; null when a signal ended it or it could not start. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  /** Standard error, or why the program could not start. */
  stderr: string;
  /** False when there is no such program. */
  found: boolean;
}

const outputLimit = 1 << 20;

/** Never rejects: a missing program is a result too. Keeps the last megabyte of each output. */
export function runProcess(
  program: string,
  parameters: readonly string[],
  {
    cwd,
    environment = process.env,
    timeout,
    input,
  }: { cwd?: string; environment?: NodeJS.ProcessEnv; timeout?: number; input?: string } = {},
): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { cwd, env: environment, timeout, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout = (stdout + text).slice(-outputLimit)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-outputLimit)));
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ code: null, signal: null, stdout, stderr: error.message, found: error.code !== 'ENOENT' });
    });
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr, found: true });
    });
    child.stdin.on('error', () => undefined).end(input);
  });
}
