// Finds or makes a Python that has TensorBoard, which then reads our event files.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './set-up.mjs';

const tensorboard = 'tensorboard==2.21.0';

/** The Python of MEMGEN_PYTHON if it has tensorboard, else one of a virtual environment that is kept; or why there is none. */
export function tensorboardPython() {
  const given = process.env.MEMGEN_PYTHON;
  if (given !== undefined && hasTensorboard(given)) return { python: given };
  const folder = join(root, 'node_modules', '.cache', 'tensorboard');
  const python = join(folder, 'bin', 'python');
  if (hasTensorboard(python)) return { python };
  if (!succeeds('python3', ['-m', 'venv', '--clear', folder])) {
    return { problem: 'python3 cannot make a virtual environment (python3-venv)' };
  }
  const words = ['install', '--quiet', '--disable-pip-version-check', '--retries', '1', tensorboard];
  if (!succeeds(python, ['-m', 'pip', ...words]) || !hasTensorboard(python)) {
    return { problem: `pip could not fetch ${tensorboard}` };
  }
  return { python };
}

function hasTensorboard(python) {
  return spawnSync(python, ['-c', 'import tensorboard'], { stdio: 'ignore' }).status === 0;
}

function succeeds(program, words) {
  return spawnSync(program, words, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}
