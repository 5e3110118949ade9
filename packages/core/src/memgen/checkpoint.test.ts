// MemGen checkpoints: what is written, and folders that are damaged or belong to another reasoner.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LatentWeaver } from '../../../weaver/src/index.js';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { startBackend } from '../backend/index.js';
import type { Decoder } from '../model/decoder.js';
import { frozenDecoder, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import type { ReasonerOrigin } from '../reasoner/index.js';
import { openMemGen, saveMemGen } from './checkpoint.js';

const origin: ReasonerOrigin = {
  source: 'someone/model-a',
  revision: 'abc',
  format: 'safetensors',
  configHash: '0123456789abcdef'.repeat(4),
};

let decoder: Decoder;
let root: string;
let folder: string;
let count = 0;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  decoder = await frozenDecoder(tinyConfig());
  root = await mkdtemp(join(tmpdir(), 'memgen-checkpoint-'));
});
afterAll(async () => {
  decoder.dispose();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  folder = join(root, String(count++));
  await mkdir(folder);
  const weaver = tinyWeaver(decoder);
  await saveMemGen(folder, { reasoner: origin, weaver });
  weaver.dispose();
});

async function changeManifest(change: (manifest: Record<string, unknown>) => unknown): Promise<void> {
  const path = join(folder, 'memgen.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify(change(manifest)));
}

describe('a checkpoint', () => {
  it('opens for the reasoner it was made for, from wherever that was loaded', async () => {
    const opened = await openMemGen(folder, { ...origin, source: '/home/ann/model-a', revision: undefined });
    expect(opened.parts).toEqual(['weaver']);
    expect(() => opened.folderOf('trigger')).toThrow('has no trigger');
    const weaver = await LatentWeaver.load(opened.folderOf('weaver'), decoder);
    expect(weaver.latentCounts).toEqual({ prompt: 3, inference: 2 });
    weaver.dispose();
  });

  it('says what belongs together in memgen.json', async () => {
    expect(JSON.parse(await readFile(join(folder, 'memgen.json'), 'utf8'))).toEqual({
      schema_version: 1,
      reasoner: {
        source: 'someone/model-a',
        revision: 'abc',
        format: 'safetensors',
        config_sha256: origin.configHash,
      },
      parts: ['weaver'],
    });
  });

  it('refuses another reasoner and names both', async () => {
    const other = { ...origin, source: 'someone/model-b', configHash: 'f'.repeat(64) };
    await expect(openMemGen(folder, other)).rejects.toMatchObject({
      code: 'checkpoint-base',
      got: 'someone/model-b (configuration ffffffffffff)',
      expected: 'someone/model-a (configuration 0123456789ab)',
    });
  });

  it.each<[string, (manifest: Record<string, unknown>) => unknown]>([
    ['a newer version', (manifest) => ({ ...manifest, schema_version: 2 })],
    ['no version', (manifest) => ({ ...manifest, schema_version: undefined })],
    ['no reasoner', (manifest) => ({ ...manifest, reasoner: undefined })],
    ['unknown parts', (manifest) => ({ ...manifest, parts: ['retriever'] })],
    ['a reasoner without its hash', (manifest) => ({ ...manifest, reasoner: { source: 'x', format: 'gguf' } })],
  ])('refuses a manifest with %s', async (_, change) => {
    await changeManifest(change);
    await expect(openMemGen(folder, origin)).rejects.toMatchObject({
      code: 'checkpoint',
      where: join(folder, 'memgen.json'),
    });
  });

  it('refuses a manifest that is no JSON, and says where none is', async () => {
    await writeFile(join(folder, 'memgen.json'), '{"schema_version": 1,');
    await expect(openMemGen(folder, origin)).rejects.toThrow(/memgen\.json/);
    await rm(join(folder, 'memgen.json'));
    await expect(openMemGen(folder, origin)).rejects.toMatchObject({ code: 'file-not-found' });
  });
});
