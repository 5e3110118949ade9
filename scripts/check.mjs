// `pnpm check`: everything but the tests - types, lint, format, boundaries, dead code, builds, package checks.
import { run } from './set-up.mjs';

export const checks = {
  types: ['pnpm', 'run', 'typecheck'],
  lint: ['pnpm', 'run', 'lint'],
  format: ['pnpm', 'run', 'format:check'],
  boundaries: ['pnpm', 'run', 'boundaries'],
  'dead code': ['pnpm', 'run', 'deadcode'],
  build: ['pnpm', 'run', 'build'],
  packages: ['pnpm', 'run', 'package-check'],
};

/** Runs the checks one by one; returns the names of those that failed. */
export function runChecks(names = Object.keys(checks)) {
  return names.filter((name) => {
    const started = Date.now();
    const code = run(checks[name], { quiet: true });
    console.log(`${code === 0 ? 'pass' : 'FAIL'}  ${name} (${((Date.now() - started) / 1000).toFixed(0)} s)`);
    return code !== 0;
  });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const chosen = process.argv.slice(2);
  const failed = runChecks(chosen.length > 0 ? chosen : undefined);
  const total = chosen.length > 0 ? chosen.length : Object.keys(checks).length;
  console.log(`${total - failed.length} passed, ${failed.length} failed`);
  process.exit(failed.length === 0 ? 0 : 1);
}
