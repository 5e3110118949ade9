// How things are told apart; adapters, checkpoints and files of tensors.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelFolder } from '@memgen/tiny-reasoner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writePeftAdapter, writeSafetensors } from '../formats/index.js';
import { inspectModel } from './inspect-model.js';

let root: string;
let folder: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-inspect-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  folder = join(root, String(count++));
  await mkdir(folder);
});

const adapterConfig = {
  r: 2,
  loraAlpha: 4,
  loraDropout: 0,
  targetModules: ['q_proj'],
  excludeModules: null,
  useRslora: false,
  rankPattern: {},
  alphaPattern: {},
  layersToTransform: null,
  layersPattern: [],
  baseModelNameOrPath: 'org/base',
  revision: null,
  taskType: null,
};

async function writeAdapter(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  const module = { rank: 2, inputSize: 3, outputSize: 5, a: new Float32Array(6), b: new Float32Array(10) };
  const modules = new Map([0, 1].map((layer) => [`model.layers.${layer}.self_attn.q_proj`, module]));
  await writePeftAdapter(path, { config: adapterConfig, modules });
}

describe('an adapter folder', () => {
  it('is recognised and described', async () => {
    await writeAdapter(folder);
    const { files, tensors, ...rest } = await inspectModel(folder);
    expect(rest).toEqual({
      kind: 'adapter',
      source: folder,
      path: folder,
      adapter: {
        type: 'LORA',
        baseModel: 'org/base',
        rank: 2,
        alpha: 4,
        targetModules: ['q_proj'],
        modules: 2,
        parameters: 32,
      },
      problems: [],
    });
    expect(files.map(({ name }) => name)).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    expect(tensors).toHaveLength(4);
  });

  it('of an unsupported kind is described, with the setting that stands in the way', async () => {
    const config = { peft_type: 'LORA', use_dora: true, r: 8, target_modules: 'all-linear' };
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config));
    const inspection = await inspectModel(folder);
    expect(inspection).toMatchObject({
      kind: 'adapter',
      adapter: { rank: 8, targetModules: ['all-linear'], modules: 0 },
    });
    expect(inspection.problems.map(({ part, code }) => [part, code])).toEqual([
      ['adapter', 'peft-unsupported'],
      ['weights', 'file-not-found'],
    ]);
    expect(inspection.problems[0]!.message).toContain('use_dora');
  });
});

describe('a checkpoint', () => {
  const manifest = {
    schema_version: 1,
    reasoner: { source: 'org/base', revision: 'abc', format: 'safetensors', config_sha256: 'f'.repeat(64) },
    parts: ['weaver'],
  };

  async function writeCheckpoint(changes: object = {}): Promise<void> {
    await writeAdapter(join(folder, 'weaver'));
    const data = new Float32Array(8);
    await writeSafetensors(join(folder, 'weaver/weaver.safetensors'), [{ name: 'queries', shape: [2, 4], data }]);
    await writeFile(join(folder, 'memgen.json'), JSON.stringify({ ...manifest, ...changes }));
  }

  it('is recognised, with its parts', async () => {
    await writeCheckpoint();
    const inspection = await inspectModel(folder);
    expect(inspection).toMatchObject({
      kind: 'checkpoint',
      version: 1,
      reasoner: { source: 'org/base', revision: 'abc', configHash: 'f'.repeat(64) },
      parts: [{ name: 'weaver', parameters: 40, adapter: { rank: 2, parameters: 32 } }],
      problems: [],
    });
    expect(inspection.files.map(({ name }) => name)).toEqual([
      'memgen.json',
      'weaver/adapter_config.json',
      'weaver/adapter_model.safetensors',
      'weaver/weaver.safetensors',
    ]);
  });

  it('of a newer version is described as far as it goes', async () => {
    await writeCheckpoint({ schema_version: 7, reasoner: 'changed' });
    const inspection = await inspectModel(folder);
    expect(inspection).toMatchObject({ kind: 'checkpoint', version: 7, parts: [{ name: 'weaver' }] });
    expect(inspection.problems).toMatchObject([
      { code: 'checkpoint', message: expect.stringContaining('schema_version 7') },
    ]);
  });

  it('leads nowhere else, and tells of parts that are missing or a manifest that is none', async () => {
    await writeCheckpoint({ parts: ['weaver', '../other', '/etc', 5, 'trigger'] });
    const { problems, files } = await inspectModel(folder);
    expect(problems.map(({ code, message }) => [code, /trigger/.test(message)])).toEqual([['file-not-found', true]]);
    expect(files.every(({ name }) => /^(memgen\.json|weaver\/)/.test(name))).toBe(true);
    await writeFile(join(folder, 'memgen.json'), '[1]');
    expect((await inspectModel(folder)).problems.map(({ code }) => code)).toEqual(['json-file']);
  });
});

describe('a safetensors file', () => {
  const tensors = [{ name: 'x', shape: [2, 3], data: new Float32Array(6), dtype: 'F16' as const }];

  it('and a folder of nothing else are listed', async () => {
    await writeSafetensors(join(folder, 'some.safetensors'), tensors);
    for (const path of [join(folder, 'some.safetensors'), folder]) {
      expect(await inspectModel(path)).toMatchObject({
        kind: 'tensors',
        metadata: { format: 'pt' },
        tensors: [{ name: 'x', dtype: 'F16', shape: [2, 3], byteLength: 12 }],
        files: [{ name: 'some.safetensors' }],
      });
    }
  });

  it('that is damaged is refused', async () => {
    const path = join(folder, 'cut.safetensors');
    await writeSafetensors(path, tensors);
    await writeFile(path, (await readFile(path)).subarray(0, -1));
    await expect(inspectModel(path)).rejects.toMatchObject({ code: 'file-truncated' });
  });
});

describe('a name', () => {
  it('is looked up in the cache, and its commit told', async () => {
    const commit = '0123456789abcdef'.repeat(3).slice(0, 40);
    const snapshot = join(folder, 'models--org--name/snapshots', commit);
    await cp(modelFolder(), snapshot, { recursive: true });
    await mkdir(join(folder, 'models--org--name/refs'));
    await writeFile(join(folder, 'models--org--name/refs/main'), commit);
    const inspection = await inspectModel('org/name', { cacheFolder: folder });
    expect(inspection).toMatchObject({
      kind: 'model',
      source: 'org/name',
      path: snapshot,
      revision: commit,
      problems: [],
    });
  });

  it('that is not there is not downloaded', async () => {
    const fetch = (): never => {
      throw new Error('no network was to be used');
    };
    const failure = inspectModel('org/name', { cacheFolder: folder, environment: {}, fetch });
    await expect(failure).rejects.toMatchObject({
      code: 'model-not-found',
      hint: expect.stringContaining('--download'),
    });
    await expect(failure).rejects.not.toThrow('HF_HUB_OFFLINE');
    await expect(inspectModel(join(folder, 'nothing.gguf'))).rejects.toMatchObject({ code: 'model-not-found' });
    await expect(inspectModel(folder)).rejects.toMatchObject({ code: 'model-folder' });
  });
});
