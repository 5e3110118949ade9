// The private npm project that holds tfjs-node: fetched by npm without scripts, wired to the caller's tfjs.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { tfjsLinkKey } from '../engines/tfjs-link.js';
import { nodeApi } from './node-api.js';
import { runProcess } from './run-process.js';

/** Version of @tensorflow/tfjs-node; the one that belongs to our @tensorflow/tfjs. */
export const tfjsNodeVersion = '4.22.0';

/**
 * tfjs-node depends on its own copy of tfjs (141 MB), on node-pre-gyp and on what its install script needs. The first
 * must be the very module that the caller computes with, because two copies of tfjs register everything twice; the rest
 * is not needed. npm's overrides put these few lines in their places.
 */
const replacements: Record<string, string> = {
  '@tensorflow/tfjs': `// Stands for @tensorflow/tfjs: hands out the copy of the program that loads this engine.
const tfjs = globalThis[Symbol.for('${tfjsLinkKey}')];
if (tfjs === undefined) throw new Error('this copy of tfjs-node is private to memgen: start it with startBackend()');
module.exports = tfjs;
`,
  '@mapbox/node-pre-gyp': `// Stands for node-pre-gyp: says where the addon is.
const path = require('node:path');
exports.find = (manifest) => path.join(path.dirname(manifest), 'lib', 'napi-v${nodeApi}', 'tfjs_binding.node');
`,
  'adm-zip': '// Not needed: only the install script of tfjs-node uses it.\n',
  'https-proxy-agent': '// Not needed: only the install script of tfjs-node uses it.\n',
  rimraf: '// Not needed: only the install script of tfjs-node uses it.\n',
  tar: '// Not needed: only the install script of tfjs-node uses it.\n',
};

/** Folder of tfjs-node inside an engine folder. */
export function tfjsNodeFolder(engineFolder: string): string {
  return join(engineFolder, 'node_modules', '@tensorflow', 'tfjs-node');
}

/**
 * Lays out the project in `folder` and lets npm fetch tfjs-node, with the registry and proxy that npm is
 * set up for. Throws `MemGenError` (`backend-npm`).
 */
export async function fetchEnginePackage(folder: string): Promise<void> {
  const overrides: Record<string, string> = {};
  for (const [index, [name, source]] of Object.entries(replacements).entries()) {
    const place = join('replacements', String(index));
    overrides[name] = `file:${place}`;
    await mkdir(join(folder, place), { recursive: true });
    await writeFile(join(folder, place, 'index.js'), source);
    const manifest = { name: `memgen-replacement-${index}`, version: tfjsNodeVersion, main: 'index.js' };
    await writeFile(join(folder, place, 'package.json'), JSON.stringify(manifest));
  }
  const dependencies = {
    '@tensorflow/tfjs-node': tfjsNodeVersion,
    // tfjs-node imports it without naming it as a dependency; tfjs exports all that it exports.
    '@tensorflow/tfjs-core': overrides['@tensorflow/tfjs'],
  };
  const project = { name: 'memgen-tensorflow-engine', version: '1.0.0', private: true, dependencies, overrides };
  await writeFile(join(folder, 'package.json'), JSON.stringify(project, null, 2));
  const npm = await runProcess(
    process.platform === 'win32' ? 'npm.cmd' : 'npm',
    [
      'install',
      '--ignore-scripts',
      '--install-links',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ],
    { cwd: folder },
  );
  if (npm.code !== 0) {
    throw new MemGenError({
      code: 'backend-npm',
      message: `npm could not fetch @tensorflow/tfjs-node ${tfjsNodeVersion}`,
      got: npm.found ? complaint(npm.stderr) : 'there is no program `npm` on the PATH',
      expected: 'npm, and a registry that it can reach',
      hint: 'check `npm ping` and `npm config get registry`',
    });
  }
  await checkVersion(folder);
}

async function checkVersion(folder: string): Promise<void> {
  const path = join(tfjsNodeFolder(folder), 'package.json');
  const manifest: unknown = JSON.parse(await readFile(path, 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  if (version === tfjsNodeVersion) return;
  throw new MemGenError({
    code: 'backend-npm',
    where: path,
    message: 'npm installed another version than asked for',
    got: String(version),
    expected: tfjsNodeVersion,
  });
}

/** What a program complained about, short enough for an error message: from its first line with "error" on. */
export function complaint(text: string, count = 8): string {
  const lines = text.trim().split('\n');
  const first = lines.findIndex((line) => /error/i.test(line));
  return (first === -1 ? lines.slice(-count) : lines.slice(first, first + count)).join('\n            ');
}
