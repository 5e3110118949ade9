// What `.ci/run` does: tests, checks, reference values on every backend, the main job. Ends with one count over all.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checks, runChecks } from './check.mjs';
import { root, run, setUp, sourceCommand } from './set-up.mjs';
import { softwareWebgpu } from './software-webgpu.mjs';
import { tensorboardPython } from './tensorboard-python.mjs';

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

function skip(name, reason) {
  totals.skipped++;
  console.log(`skip  ${name}: ${reason}`);
}

function hasCompiler() {
  return spawnSync('c++', ['--version'], { stdio: 'ignore' }).status === 0;
}

setUp();
countOf('tests', ['npm', 'test']);
countOf('slow tests', ['npm', 'run', 'test:slow']);

console.log('\n--- checks');
const failedChecks = runChecks();
for (const name of Object.keys(checks)) count(`check: ${name}`, !failedChecks.includes(name));

const { python, problem } = tensorboardPython();
if (python === undefined) {
  skip('event files in TensorBoard', problem);
} else {
  const eventFileTests = ['scripts/test.mjs', 'packages/runs/src/tensorboard'];
  countOf('event files in TensorBoard', [process.execPath, ...eventFileTests], { MEMGEN_PYTHON: python });
}

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

/** Models, adapters, tokenizers and number formats: what the slow backends can do in a minute or two. */
const runtimeGroups = ['--only', 'a,b,g,h'];
countOf(
  'reference values on cpu',
  sourceCommand('packages/parity/src/main.ts', goldens, '--backend', 'cpu', ...runtimeGroups),
);
const webgpu = softwareWebgpu();
if (webgpu.environment === undefined) {
  skip('reference values on webgpu', webgpu.problem);
} else {
  countOf(
    'reference values on webgpu (software)',
    sourceCommand('packages/parity/src/main.ts', goldens, '--backend', 'webgpu', ...runtimeGroups),
    webgpu.environment,
  );
  const webgpuTests = [
    'scripts/test.mjs',
    'packages/core/src/backend/engines/webgpu.test.ts',
    'packages/grpo/src/asynchronous-reads.test.ts',
  ];
  countOf('tests on webgpu (software)', [process.execPath, ...webgpuTests], webgpu.environment);
}

console.log('\n--- the real SmolLM2-135M-Instruct');
const obtained = spawnSync(process.execPath, sourceCommand('scripts/obtain-smollm2.ts').slice(1), {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
const recorded = join(goldens, 'i_smollm2');
if (obtained.status !== 0 || !existsSync(recorded)) {
  skip('reference values of SmolLM2', obtained.status === 0 ? `there is no ${recorded}` : 'the weights cannot be had');
} else {
  const given = ['--backend', 'tensorflow', '--only', 'i_smollm2', '--smollm2', obtained.stdout.trim()];
  countOf('reference values of SmolLM2 on tensorflow', sourceCommand('packages/parity/src/main.ts', goldens, ...given));
}

countOf('tests under Node 22 and 24', [process.execPath, 'scripts/other-nodes.mjs']);

console.log('\n--- the main job, cut short');
const folder = join(mkdtempSync(join(tmpdir(), 'memgen-ci-')), 'run');
const cut = [
  'training.max_steps=12',
  'data.test_rows_per_family=5',
  'data.skills_rows=14',
  'next.training.max_steps=3',
  'next.data.mix_test_rows=10',
  'next.data.test_rows_per_family=5',
  'next.data.skills_rows=14',
];
const short = cut.flatMap((setting) => ['--set', setting]);
count('main job', run(['npm', 'start', '--', '--out', folder, ...short], { env: { MEMGEN_BACKEND: 'wasm' } }) === 0);
const isWritten = (path) => existsSync(path) && readFileSync(path).length > 0;
for (const file of ['manifest.json', 'metrics.jsonl', 'answers.jsonl', 'report.html']) {
  count(`main job wrote ${file}`, isWritten(join(folder, file)));
  count(`its last act, the trigger, wrote ${file}`, isWritten(join(`${folder}-tiny-shop-trigger`, file)));
}
rmSync(join(folder, '..'), { recursive: true, force: true });

if (failures.length > 0) console.log(`\nfailed: ${failures.join('; ')}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed === 0 ? 0 : 1);
