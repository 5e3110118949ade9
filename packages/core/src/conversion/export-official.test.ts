// Checkpoints written in the official layout: names, shapes and values, and that they load again.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Random } from '@memgen/common';
import { modelFolder } from '@memgen/tiny-reasoner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LanguageModelTrigger } from '../../../trigger/src/index.js';
import { LatentWeaver } from '../../../weaver/src/index.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { startBackend } from '../backend/index.js';
import { runCommand } from '../cli/run-commands.test-helper.js';
import { openSafetensors, readTensors } from '../formats/index.js';
import { isSharedMissing, sharedPath } from '../formats/shared-files.test-helper.js';
import { MemGen } from '../memgen/index.js';
import type { Trigger, Weaver } from '../memgen/index.js';
import { loadReasoner, type Reasoner } from '../reasoner/index.js';
import { exportOfficial } from './export-official.js';

const parts = { weaver: LatentWeaver, trigger: LanguageModelTrigger };
const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'v_proj'] };
let root: string;
let reasoner: Reasoner;
let weaver: LatentWeaver;
let trigger: LanguageModelTrigger;
let checkpoint: string;
let count = 0;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  root = await mkdtemp(join(tmpdir(), 'memgen-export-'));
  checkpoint = join(root, 'checkpoint');
  reasoner = await loadReasoner(modelFolder());
  weaver = tinyWeaver(reasoner.decoder);
  trigger = LanguageModelTrigger.initialize(reasoner.decoder, { lora }, Random.fromSeed(3));
  await new MemGen({ reasoner, weaver, trigger, generation: { maxInferencePoints: 3 } }).save(checkpoint);
});
afterAll(async () => {
  for (const part of [weaver, trigger, reasoner.decoder]) part.dispose();
  await rm(root, { recursive: true });
});

function target(): string {
  return join(root, `out-${count++}`);
}

function valuesOf(part: Weaver | Trigger): Map<string, unknown> {
  return new Map([...part.parameters()].map(([name, variable]) => [name, variable.arraySync()]));
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function shapesOf(path: string): Promise<Record<string, readonly number[]>> {
  return Object.fromEntries([...(await readTensors(await openSafetensors(path)))].map(([name, { shape }]) => [name, shape])); // prettier-ignore
}

describe('exportOfficial', () => {
  it('writes what loads as an official checkpoint, value for value', async () => {
    const out = target();
    const exported = await exportOfficial(checkpoint, out);
    expect(exported).toEqual({ folder: out, parts: ['weaver', 'trigger'], tensors: 12 + 2 + weaver.adapter.modules.size * 2 + trigger.adapter.modules.size * 2 }); // prettier-ignore
    const model = await MemGen.fromPretrained(out, { ...parts, reasoner });
    expect(model.mode).toBe('weaver+trigger');
    expect(model.generation.maxInferencePoints).toBe(3);
    expect(valuesOf(model.weaver!)).toEqual(valuesOf(weaver));
    expect(valuesOf(model.trigger!)).toEqual(valuesOf(trigger));
    model.dispose();
  });

  it("writes the base's configuration with the settings of MemGen", async () => {
    const out = target();
    await exportOfficial(checkpoint, out);
    const base = JSON.parse(await readFile(join(modelFolder(), 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(JSON.parse(await readFile(join(out, 'config.json'), 'utf8'))).toEqual({
      ...base,
      model_type: 'memgen',
      max_prompt_aug_num: 1,
      max_inference_aug_num: 3,
      prompt_latents_len: 3,
      inference_latents_len: 2,
      weaver_lora_config: { r: 2, lora_alpha: 4, target_modules: ['q_proj', 'v_proj', 'down_proj'], lora_dropout: 0, bias: 'none', task_type: 'CAUSAL_LM' }, // prettier-ignore
      trigger_active: true,
      trigger_lora_config: { r: 2, lora_alpha: 4, target_modules: ['q_proj', 'v_proj'], lora_dropout: 0, bias: 'none', task_type: 'CAUSAL_LM' }, // prettier-ignore
    });
  });

  it('leaves the trigger out where there is none', async () => {
    const [from, out] = [join(root, 'weaver-only'), target()];
    await new MemGen({ reasoner, weaver }).save(from);
    await exportOfficial(from, out);
    expect(await filesOf(out)).toEqual(['config.json', 'projs.safetensors', 'weaver.safetensors', 'weaver/weaver/adapter_config.json', 'weaver/weaver/adapter_model.safetensors']); // prettier-ignore
    const model = await MemGen.fromPretrained(out, { ...parts, reasoner });
    expect(model.mode).toBe('weaver');
    model.dispose();
  });

  it('refuses a weaver of another kind, another reasoner, what is exported already, and a folder in use', async () => {
    const strange = join(root, 'strange');
    await cp(checkpoint, strange, { recursive: true });
    await cp(join(checkpoint, 'trigger', 'trigger.safetensors'), join(strange, 'weaver', 'weaver.safetensors'));
    await expect(exportOfficial(strange, target())).rejects.toMatchObject({
      code: 'export-part',
      got: 'output_layer.bias, output_layer.weight',
    });

    const other = join(root, 'other');
    await cp(modelFolder(), other, { recursive: true });
    const config = JSON.parse(await readFile(join(other, 'config.json'), 'utf8')) as Record<string, unknown>;
    await rm(join(other, 'config.json'));
    await writeFile(join(other, 'config.json'), JSON.stringify({ ...config, rope_theta: 1 }));
    await expect(exportOfficial(checkpoint, target(), { reasoner: other })).rejects.toMatchObject({
      code: 'checkpoint-base',
      got: expect.stringContaining(other),
      expected: expect.stringContaining(modelFolder()),
    });

    const out = target();
    await exportOfficial(checkpoint, out);
    await expect(exportOfficial(out, target())).rejects.toMatchObject({ code: 'export-part' });
    await expect(exportOfficial(checkpoint, out)).rejects.toMatchObject({ code: 'file-exists' });
  });
});

it('memgen export says what it wrote and that the official code must be told of it', async () => {
  const out = target();
  const { code, out: text, errors } = await runCommand(['export', checkpoint, '--to', 'official', '--out', out]);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(text).toContain(`${out}: weaver and trigger, `);
  expect(text).toContain('not the pickles (.bin)');
  expect(await filesOf(out)).toContain('projs.safetensors');
  expect(await runCommand(['export', checkpoint, '--to', 'pickle', '--out', target()])).toMatchObject({ code: 1 });
});

describe.skipIf(isSharedMissing('golden', 'c_memgen')).each(['qwen2', 'llama', 'qwen2-hetero'])(
  'a checkpoint of the official code, %s, read, saved and exported (needs the golden files)',
  (name) => {
    interface Layout {
      reasoner: string;
      weaver_base: string;
      checkpoint_files: string[];
      bin_contents: Record<string, object>;
      adapter_keys: Record<string, Record<string, number[]>>;
    }
    const flattened = (value: object, path = ''): [string, unknown][] =>
      Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
        Array.isArray(inner) ? [[path + key, inner]] : flattened(inner as object, `${path}${key}.`),
      );

    it('has the files, names, shapes and values that it had', async () => {
      const folder = sharedPath('golden', 'c_memgen', name);
      const layout = JSON.parse(await readFile(join(folder, 'layout.json'), 'utf8')) as Layout;
      const [model, base] = [layout.reasoner, layout.weaver_base].map((id) => sharedPath('golden', 'models', id));
      const official = join(folder, 'checkpoint');
      const options = { ...parts, reasoner: model!, weaverBase: base! };
      const original = await MemGen.fromPretrained(official, options);
      const [own, out] = [target(), target()];
      await original.save(own);
      await exportOfficial(own, out);

      expect(await filesOf(out)).toEqual(layout.checkpoint_files.map((file) => file.replace('.bin', '.safetensors')).sort()); // prettier-ignore
      for (const [file, contents] of Object.entries(layout.bin_contents)) {
        const shapes = await shapesOf(join(out, file.replace('.bin', '.safetensors')));
        expect(shapes, file).toEqual(Object.fromEntries(flattened(contents)));
      }
      for (const [part, shapes] of Object.entries(layout.adapter_keys)) {
        expect(await shapesOf(join(out, part, part, 'adapter_model.safetensors'))).toEqual(shapes);
      }
      const again = await MemGen.fromPretrained(out, options);
      expect(valuesOf(again.weaver!)).toEqual(valuesOf(original.weaver!));
      expect(valuesOf(again.trigger!)).toEqual(valuesOf(original.trigger!));
      for (const owner of [again, original]) owner.dispose();
    });
  },
);
