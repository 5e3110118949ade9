// Runs all cases of one target in processes of their own; a case that hangs or kills its process is named and passed over.
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CaseReport } from './run-cases.test-helper.js';

export interface TargetResult {
  cases: number;
  /** How often each outcome came: `read`, or the code of the error. */
  outcomes: Map<string, number>;
  /** One line for each fault, with what is needed to see it again. */
  faults: string[];
  largestRequest: number;
  longestMilliseconds: number;
}

/** Far longer than any case takes on a busy machine: what is not done by then never will be. */
const usualPatience = 30_000;
const mostHeapMegabytes = 1024;
/** After so many lost processes the rest would tell nothing new. */
const mostLost = 10;

/**
 * @param first - seed of the first case; the others follow.
 * @param patience - milliseconds after which a case counts as hanging.
 */
export async function runTarget(
  name: string,
  first: number,
  cases: number,
  patience = usualPatience,
): Promise<TargetResult> {
  const folder = await mkdtemp(join(tmpdir(), 'memgen-fuzz-'));
  const result: TargetResult = { cases: 0, outcomes: new Map(), faults: [], largestRequest: 0, longestMilliseconds: 0 };
  try {
    let next = first;
    for (let lost = 0; next < first + cases && lost < mostLost; lost++) {
      next = await runSome(name, next, first + cases, { folder, result, patience });
    }
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns the seed to go on with: that after the last, or after the one that the process was lost in. */
function runSome(
  name: string,
  first: number,
  end: number,
  { folder, result, patience }: { folder: string; result: TargetResult; patience: number },
): Promise<number> {
  const entry = join(import.meta.dirname, 'run-cases.test-helper.ts');
  const child = fork(entry, [folder, name, String(first), String(end)], {
    execArgv: ['--import', 'tsx', '--conditions=@memgen/source', `--max-old-space-size=${mostHeapMegabytes}`],
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let current = first;
  let isOpen = false;
  let hung = false;
  let errors = '';
  const watchdog = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, patience);
  child.stderr?.on('data', (text: Buffer) => (errors = (errors + text.toString()).slice(-2000)));
  child.on('message', (message: CaseReport) => {
    watchdog.refresh();
    current = message.seed;
    isOpen = message.state === 'started';
    if (message.state === 'done') count(name, message, result);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(watchdog);
      if (isOpen) {
        const how = hung ? `hung for ${patience} ms` : `ended the process (${signal ?? code ?? '?'}): ${errors}`;
        result.cases += 1;
        result.faults.push(`${replay(name, current)} ${how}`);
        resolve(current + 1);
      } else if (code === 0) resolve(end);
      else reject(new Error(`the process of ${name} failed outside of a case: ${errors}`));
    });
  });
}

function count(name: string, report: CaseReport & { state: 'done' }, result: TargetResult): void {
  result.cases += 1;
  result.outcomes.set(report.outcome, (result.outcomes.get(report.outcome) ?? 0) + 1);
  result.largestRequest = Math.max(result.largestRequest, report.largestRequest);
  result.longestMilliseconds = Math.max(result.longestMilliseconds, report.milliseconds);
  result.faults.push(...report.faults.map((fault) => `${replay(name, report.seed)} ${fault}`));
}

/** What to set to run this case alone. */
function replay(name: string, seed: number): string {
  return `[MEMGEN_FUZZ=${name}:${seed}]`;
}
