// `pnpm check`: everything but the tests - types, lint, format, boundaries, dead code, builds, package checks.
import { findPnpm, run } from './set-up.mjs';

/** Names of the checks, and the scripts of package.json that do them. */
export const checks = {
  types: 'typecheck',
  lint: 'lint',
  format: 'format:check',
  boundaries: 'boundaries',
  'dead code': 'deadcode',
  build: 'build',
  packages: 'package-check',
};

/** Runs the checks one by one; returns the names of those that failed. */
export function runChecks(names = Object.keys(checks)) {
  const pnpm = findPnpm();
  return names.filter((name) => {
    const started = Date.now();
    const code = run([...pnpm, 'run', checks[name]], { quiet: true });
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
