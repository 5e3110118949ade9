// Reward of code: the row's tests on the completion's program, in the sandbox.
import { rewardPerSample, type Reward, type RewardFunction } from '@memgen/common';
import type { KodCodeRow } from '../data/kodcode.js';
import type { PythonProgram, PythonVerdict } from '../sandbox/python-program.js';
import { codeBlocks } from '../scoring/code-blocks.js';

/** Packages outside of the standard library that rows are known to need, and the sandbox does not have. */
const packagesBeyond = ['numpy', 'scipy', 'pandas', 'sympy', 'sklearn', 'matplotlib', 'networkx', 'requests', 'torch'];

export interface KodCodeRewardOptions {
  sandbox: { run(program: PythonProgram, options: { signal?: AbortSignal }): Promise<PythonVerdict> };
  /** `all-or-nothing`: 1 if no test failed (the reference); `share`: part of the tests that passed. Default the first. */
  preset?: 'all-or-nothing' | 'share';
  /**
   * What of the completion is run. The reference keeps imports and functions only, so that no problem about classes
   * can be solved. Default `everything`.
   */
  keep?: PythonProgram['keep'];
  /** Programs handed to the sandbox at once; it runs as many as it has threads. Default 8. */
  concurrency?: number;
}

/** A row that the sandbox cannot judge, because its tests need a package that it does not have, gets no value. */
export function kodCodeReward({
  sandbox,
  preset = 'all-or-nothing',
  keep = 'everything',
  concurrency = 8,
}: KodCodeRewardOptions): RewardFunction<KodCodeRow> {
  return rewardPerSample({
    name: `kodcode-${preset}`,
    concurrency,
    score: async ({ row, completion }, { signal }): Promise<Reward> => {
      const beyond = modulesBeyondSandbox(row);
      if (beyond.length > 0) return { value: NaN, reason: `the row needs ${beyond.join(', ')}, not in the sandbox` };
      const verdict = await sandbox.run(kodCodeProgram(row, completion, keep), { signal });
      const passed = verdict.tests.filter(({ outcome }) => outcome === 'passed').length;
      const counted = verdict.tests.filter(({ outcome }) => outcome !== 'skipped').length;
      const isWhole = verdict.outcome === 'passed';
      const value = isWhole ? 1 : preset === 'share' && counted > 0 ? passed / counted : 0;
      return { value, ...(verdict.reason !== undefined && { reason: verdict.reason }) };
    },
  });
}

/** The completion's code blocks with the row's tests, which need not import them. */
export function kodCodeProgram(
  { tests, functionName }: Pick<KodCodeRow, 'tests' | 'functionName'>,
  completion: string,
  keep: PythonProgram['keep'] = 'everything',
): PythonProgram {
  // Imports over several lines stay: the program can be imported as well.
  const withoutImports = tests.replaceAll(/^from solution import [^(\\\n]*$/gm, '');
  return { blocks: codeBlocks(completion), keep, functionName, tests: withoutImports };
}

/** Packages that the row's solution or tests import and the sandbox does not have. */
export function modulesBeyondSandbox({ solution, tests }: Pick<KodCodeRow, 'solution' | 'tests'>): string[] {
  const imported = `${solution}\n${tests}`.matchAll(/^\s*(?:import|from)\s+(\w+)/gm);
  const names = new Set(Array.from(imported, ([, name]) => name!));
  return packagesBeyond.filter((name) => names.has(name));
}
