import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

// Every TypeScript block of a package's README is run as a program of its own, from the root of the workspace.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = join(root, 'node_modules', '.cache', 'readme-examples');
const run = promisify(execFile);

function examples(): { name: string; code: string }[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    let text: string;
    try {
      text = readFileSync(join(root, 'packages', folder, 'README.md'), 'utf8');
    } catch {
      return [];
    }
    return [...text.matchAll(/^```ts\n([^]*?)^```/gm)].map((match, i) => ({
      name: `${folder}-${i + 1}`,
      code: match[1]!,
    }));
  });
}

describe('examples of the READMEs', () => {
  afterAll(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each(examples())('$name runs', async ({ name, code }) => {
    mkdirSync(scratch, { recursive: true });
    const file = join(scratch, `${name}.mts`);
    writeFileSync(file, code);
    const words = ['--import', 'tsx', '--conditions=@memgen/source', file];
    const { stdout } = await run(process.execPath, words, {
      cwd: root,
      env: { ...process.env, MEMGEN_BACKEND: 'wasm' },
    });
    expect(stdout.trim()).not.toBe('');
  });
});
