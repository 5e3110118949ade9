// The commit that a run was started from, if it was started from a git work tree.
import { spawnSync } from 'node:child_process';

/** As it stands in manifest.json. */
export interface GitState {
  commit: string;
  /** Whether tracked files differed from the commit; the run then cannot be repeated from the commit alone. */
  dirty: boolean;
}

/** The state of the work tree around `folder`, or `undefined` outside of one and where there is no git. */
export function readGitState(folder: string): GitState | undefined {
  const commit = git(folder, ['rev-parse', '--verify', 'HEAD']);
  if (commit === undefined) return undefined;
  return { commit, dirty: git(folder, ['status', '--porcelain', '--untracked-files=no']) !== '' };
}

function git(folder: string, args: string[]): string | undefined {
  const result = spawnSync('git', args, { cwd: folder, encoding: 'utf8', timeout: 10_000, windowsHide: true });
  return result.status === 0 ? result.stdout.trim() : undefined;
}
