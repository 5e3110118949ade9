// The command as a person runs it, on the tiny model: no figure is judged, only what comes out.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowsSchema } from './frame/row.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-bench-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

function bench(words: readonly string[], onProgress: (text: string, stop: () => void) => void = () => undefined) {
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@memgen/source', main, ...words], {
    env: { ...process.env, MEMGEN_PYTHON: undefined },
  });
  let [output, progress] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    progress += text;
    onProgress(progress, () => child.kill('SIGINT'));
  });
  return new Promise<{ code: number | null; output: string; progress: string }>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, output, progress });
    });
  });
}

const quick = ['runtime', '--quick', '--backends', 'wasm'];

// Three processes in a row, each of which compiles its sources: long on a busy machine.
describe('pnpm bench runtime', { timeout: 300_000 }, () => {
  it('writes rows and shows them again, in a document too', async () => {
    const json = join(folder, 'rows.json');
    const { code, output, progress } = await bench([...quick, '--only', 'load', '--json', json]);
    expect({ code, progress }).toMatchObject({
      code: 0,
      progress: expect.stringContaining('[2/2] wasm float32: loading'),
    });
    const rows = rowsSchema.parse(JSON.parse(await readFile(json, 'utf8')));
    const load = rows.find(({ name }) => name === 'load, float32 safetensors (wasm, float32)');
    expect(load).toMatchObject({ unit: 's', better: 'lower', value: expect.any(Number), limit: expect.any(Number) });
    for (const { name } of rows) expect(output).toContain(name);

    const document = join(folder, 'performance.md');
    await writeFile(document, 'Figures:\n<!-- runtime:begin -->\n<!-- runtime:end -->\nThe end.\n');
    const shown = await bench(['runtime', '--show', json, '--markdown', document]);
    expect(shown.output).toBe(output);
    expect(await readFile(document, 'utf8')).toMatch(/^Figures:[^]*\| load, float32 safetensors[^]*The end\.\n$/);
  });

  it('keeps the rows so far when it is interrupted', async () => {
    const json = join(folder, 'interrupted.json');
    const { code, output } = await bench([...quick, '--only', 'load', '--json', json], (progress, stop) => {
      if (progress.includes('[2/2]')) stop();
    });
    expect(code).toBe(130);
    const rows = rowsSchema.parse(JSON.parse(await readFile(json, 'utf8')));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ name }) => name.startsWith('load'))).toBe(false);
    expect(output).toContain(rows[0]!.name);
  });

  it('says what failed and measures the rest', async () => {
    const { code, progress, output } = await bench([...quick, '--only', 'load', '--model', join(folder, 'nowhere')]);
    expect(code).toBe(1);
    expect(progress).toMatch(/failed: wasm float32: loading: .*/);
    expect(output).toContain('memory bandwidth');
  });

  it('answers a wrong command without a stack', async () => {
    const { code, progress } = await bench(['speed']);
    expect(code).toBe(1);
    expect(progress).toMatch(/got: +speed\n/);
    expect(progress).not.toContain('at ');
  });
});
