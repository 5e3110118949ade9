// `memgen inspect` and `memgen convert` as command lines.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelFolder } from '@memgen/tiny-reasoner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../formats/index.js';
import { runCommand } from '../run-commands.test-helper.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-models-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('memgen inspect', () => {
  it('prints a page', async () => {
    const { code, out, errors } = await runCommand(['inspect', modelFolder()]);
    expect([code, errors]).toEqual([0, '']);
    expect(out).toContain('Qwen2ForCausalLM');
    expect(out).toContain('This model can be run');
  });

  it('prints JSON, with the tensors on request', async () => {
    const { out } = await runCommand(['inspect', modelFolder(), '--json']);
    const report = JSON.parse(out) as Record<string, unknown>;
    expect(report).toMatchObject({
      kind: 'model',
      architecture: { layers: 4 },
      dtypes: [{ dtype: 'BF16', tensors: 50 }],
    });
    expect(report).not.toHaveProperty('tensors');
    const { out: whole } = await runCommand(['inspect', modelFolder(), '--json', '--tensors']);
    expect((JSON.parse(whole) as { tensors: unknown[] }).tensors).toHaveLength(50);
  });

  it('fails without a stack where there is nothing', async () => {
    const { code, out, errors } = await runCommand(['inspect', join(folder, 'nothing.gguf')]);
    expect([code, out]).toEqual([1, '']);
    expect(errors).toMatch(/nothing\.gguf" was not found/);
    expect(errors).not.toMatch(/^ +at /m);
    expect(await runCommand(['inspect'])).toMatchObject({ code: 1, errors: expect.stringContaining("'model'") });
  });
});

describe('memgen convert', () => {
  it('writes a folder and says what it wrote', async () => {
    const out = join(folder, 'converted');
    const result = await runCommand(['convert', modelFolder(), out, '--dtype', 'f16']);
    expect(result).toMatchObject({ code: 0, out: `${out}: 50 tensors, 1.9 MB in f16\n` });
    expect(result.errors).toContain('writing model.safetensors 100 %');
    const file = await openSafetensors(out);
    expect(file.tensors.get('model.norm.weight')?.dtype).toBe('F16');
    await file.close();
    const again = await runCommand(['convert', modelFolder(), out]);
    expect(again).toMatchObject({ code: 1, out: '', errors: expect.stringContaining('choose another name') });
    expect(JSON.parse(await readFile(join(out, 'config.json'), 'utf8'))).toMatchObject({ torch_dtype: 'float16' });
  });

  it('refuses a type that there is not', async () => {
    const { code, errors } = await runCommand(['convert', modelFolder(), join(folder, 'x'), '--dtype', 'q4']);
    expect(code).toBe(1);
    expect(errors).toContain('f32, bf16, f16');
    expect(await readdir(folder)).not.toContain('x');
  });
});
