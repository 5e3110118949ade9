// What `.ci/run` does: tests, checks, reference values on every backend, the main job. Ends with one count over all.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checks, runChecks } from './check.mjs';
import { root, run, setUp, sourceCommand } from './set-up.mjs';

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

function count(name, ok) {
  totals[ok ? 'passed' : 'failed']++;
  if (!ok) failures.push(name);
  console.log(`${ok ? 'pass' : 'FAIL'}  ${name}`);
}

/** Runs a command that ends with "N passed, N failed[, N skipped]" and adds its numbers. */
function countOf(name, command, env = {}) {
  console.log(`\n--- ${name}`);
  const [program, ...words] = command;
  const done = spawnSync(program, words, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  process.stdout.write(done.stdout);
  const line = [...done.stdout.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (line === undefined || (done.status !== 0 && Number(line[2]) === 0)) {
    count(`${name} ends with its count`, false);
    return;
  }
  totals.passed += Number(line[1]);
  totals.failed += Number(line[2]);
  totals.skipped += Number(line[3] ?? 0);
  if (Number(line[2]) > 0) failures.push(name);
}

function hasCompiler() {
  return spawnSync('c++', ['--version'], { stdio: 'ignore' }).status === 0;
}

setUp();
countOf('tests', ['npm', 'test']);

console.log('\n--- checks');
const failedChecks = runChecks();
for (const name of Object.keys(checks)) count(`check: ${name}`, !failedChecks.includes(name));

console.log('\n--- the TensorFlow backend');
if (!hasCompiler()) run(['apt-get', 'install', '-y', '-qq', 'g++']);
count(
  'memgen backend install',
  run(sourceCommand('packages/core/src/cli/main.ts', 'backend', 'install', '--yes')) === 0,
);
count('memgen doctor', run(sourceCommand('packages/core/src/cli/main.ts', 'doctor')) === 0);

const shared = process.env.MEMGEN_SHARED ?? join(root, '..', 'shared');
const goldens = existsSync(join(shared, 'golden')) ? join(shared, 'golden') : 'packages/parity/__fixtures__/golden';
for (const backend of ['wasm', 'tensorflow']) {
  countOf(
    `reference values on ${backend}`,
    sourceCommand('packages/parity/src/main.ts', goldens, '--backend', backend),
  );
}

console.log('\n--- the main job, cut short');
const folder = join(mkdtempSync(join(tmpdir(), 'memgen-ci-')), 'run');
const short = [
  '--set',
  'training.max_steps=12',
  '--set',
  'data.test_rows_per_family=5',
  '--set',
  'data.skills_rows=14',
];
count('main job', run(['npm', 'start', '--', '--out', folder, ...short], { env: { MEMGEN_BACKEND: 'wasm' } }) === 0);
for (const file of ['manifest.json', 'metrics.jsonl', 'answers.jsonl', 'report.html']) {
  count(`main job wrote ${file}`, existsSync(join(folder, file)) && readFileSync(join(folder, file)).length > 0);
}
rmSync(join(folder, '..'), { recursive: true, force: true });

if (failures.length > 0) console.log(`\nfailed: ${failures.join('; ')}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 ? 0 : 1);
