// Finding checkpoints: folders, folders of a repository on the hub, the cache, failures.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveCheckpoint } from './index.js';
import { commit } from './hub-server.test-helper.js';
import { failure, options, root, snapshot, start, stop } from './model-on-hub.test-helper.js';

const folder = 'Qwen2.5-1.5B-Instruct/gsm8k/weaver-sft/pn=1_pl=8_in=5_il=8';
const source = `org/name/${folder}`;
const official = Object.fromEntries(
  [
    'config.json',
    'projs.bin',
    'weaver.bin',
    'trigger.bin',
    'weaver/weaver/adapter_config.json',
    'weaver/weaver/adapter_model.safetensors',
    'trigger/trigger/adapter_config.json',
    'trigger/trigger/adapter_model.safetensors',
    'optimizer.pt',
    'weaver/weaver/README.md',
  ].map((name) => [`${folder}/${name}`, Buffer.from(name)]),
);
const files = { 'README.md': Buffer.from('# checkpoints'), ...official };

describe('a folder', () => {
  it('is recognised by its manifest', async () => {
    await writeFile(join(root, 'memgen.json'), '{}');
    expect(await resolveCheckpoint(root)).toEqual({ path: root, layout: 'own' });
    const other = join(root, 'official');
    await mkdir(other);
    await writeFile(join(other, 'config.json'), '{}');
    expect(await failure(resolveCheckpoint(other))).toMatchObject({ code: 'checkpoint-not-found' });
    await writeFile(join(other, 'weaver.safetensors'), '');
    expect(await resolveCheckpoint(other)).toEqual({ path: other, layout: 'official' });
  });

  it('that is none is refused, and what is in it named', async () => {
    await writeFile(join(root, 'notes.txt'), '');
    const error = await failure(resolveCheckpoint(root));
    expect(error.message).toMatch(/notes\.txt[\s\S]*memgen\.json/);
  });

  it.each(['./no/such/folder', '/no/such/folder', '~/no-such', '', 'name', 'a//b', '../x', 'org/name/../x'])(
    'that is not there is not asked of the hub: %j',
    async (path) => {
      const { requests } = await start(files);
      expect(await failure(resolveCheckpoint(path, options()))).toMatchObject({ code: 'checkpoint-not-found' });
      expect(requests).toEqual([]);
    },
  );
});

describe('a folder on the hub', () => {
  it('is downloaded with its parts and nothing else, the manifest last, and found in the cache after that', async () => {
    const { requests } = await start(files);
    const path = join(snapshot(), folder);
    expect(await resolveCheckpoint(source, options())).toEqual({ path, revision: commit, layout: 'official' });
    expect((await readdir(path)).sort()).toEqual(['config.json', 'projs.bin', 'trigger', 'trigger.bin', 'weaver', 'weaver.bin']); // prettier-ignore
    expect((await readdir(join(path, 'weaver/weaver'))).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']); // prettier-ignore
    expect(decodeURIComponent(requests.at(-1)!)).toMatch(/config\.json$/);
    expect(requests.some((request) => request.includes('optimizer'))).toBe(false);
    await stop();
    expect(await resolveCheckpoint(source, options())).toEqual({ path, revision: commit, layout: 'official' });
    expect(await resolveCheckpoint(source, options({ offline: true }))).toMatchObject({ path });
  });

  it('of this project brings memgen.json and the folders of its parts', async () => {
    const own = ['memgen.json', 'weaver/weights.bin', 'weaver/settings.json', 'trigger/rule.json', 'logs/a.txt'];
    await start(Object.fromEntries(own.map((name) => [name, Buffer.from(name)])));
    const { path, layout } = await resolveCheckpoint('org/name', options());
    expect(layout).toBe('own');
    expect((await readdir(path)).sort()).toEqual(['memgen.json', 'trigger', 'weaver']);
    expect((await readdir(join(path, 'weaver'))).sort()).toEqual(['settings.json', 'weights.bin']);
  });

  it('without a checkpoint is answered with the folders that hold one', async () => {
    await start(files);
    const error = await failure(resolveCheckpoint('org/name/Qwen2.5-1.5B-Instruct', options()));
    expect(error).toMatchObject({ code: 'checkpoint-not-found' });
    expect(error.message).toContain(source);
  });

  it('that is half downloaded is not taken for complete', async () => {
    const hub = await start(files);
    hub.faults.push((request, response) => {
      if (request.url?.includes('weaver.bin') !== true) return false;
      response.writeHead(403).end();
      return true;
    });
    await failure(resolveCheckpoint(source, options()));
    await stop();
    await start(files);
    expect(await resolveCheckpoint(source, options())).toMatchObject({ layout: 'official' });
    expect(await readdir(join(snapshot(), folder))).toContain('weaver.bin');
  });

  it('is not looked for offline', async () => {
    const { requests } = await start(files);
    expect(await failure(resolveCheckpoint(source, options({ offline: true })))).toMatchObject({
      code: 'checkpoint-not-found',
      message: expect.stringContaining('HF_HUB_OFFLINE'),
    });
    expect(requests).toEqual([]);
  });
});
