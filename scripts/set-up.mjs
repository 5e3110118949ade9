// What `npm start` and `npm test` do first: check Node, find or fetch pnpm, install the workspace.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';

/** Runs a command in the repository, its output shown; returns the exit code (130 when interrupted). */
export function run(command, { env = {}, quiet = false, cwd = root } = {}) {
  const [program, ...words] = command;
  const done = spawnSync(program, words, {
    cwd,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['inherit', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
    shell: windows,
    encoding: 'utf8',
  });
  if (done.error) throw done.error;
  if (quiet && done.status !== 0) process.stderr.write(`${done.stdout}${done.stderr}`);
  return done.status ?? 130;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Node ${process.versions.node} is too old: memgen needs 20.19 or newer (20, 22 and 24 are tested).`);
  process.exit(1);
}

/** The pnpm of package.json: the one on the path if it is of that major version, else fetched through npx. */
export function findPnpm() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('@')[1];
  const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', shell: windows, cwd: root });
  const major = (version) => version.trim().split('.')[0];
  if (found.status === 0 && major(found.stdout) === major(wanted)) return ['pnpm'];
  return ['npx', '--yes', `pnpm@${wanted}`];
}

/** Installs what the lockfile names; quick when nothing changed. Returns the command of pnpm. */
export function setUp() {
  checkNode();
  const pnpm = findPnpm();
  console.log('Setting up: installing the packages of the lockfile (the first time takes a minute) ...');
  const code = run([...pnpm, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=silent'], {
    env: { CI: '1' },
  });
  if (code !== 0) {
    console.error('The installation failed. Check the network and the free disk space, then try again:');
    run([...pnpm, 'install', '--frozen-lockfile']);
    process.exit(code);
  }
  return pnpm;
}

/** Runs TypeScript sources of the workspace without a build. */
export function sourceCommand(file, ...words) {
  return [process.execPath, '--import', 'tsx', '--conditions=@memgen/source', file, ...words];
}
