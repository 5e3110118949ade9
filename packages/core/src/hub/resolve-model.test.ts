// Finding models: paths, downloads into the cache, the token, failures, the cache of other tools.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '../formats/safetensors/index.js';
import { commit, gitHash } from './hub-server.test-helper.js';
import { resolveModel, type DownloadProgress } from './index.js';
import {
  answer,
  expectWeights,
  failure,
  model,
  options,
  repository,
  root,
  snapshot,
  start,
  stop,
  weights,
  without,
} from './model-on-hub.test-helper.js';

describe('a path', () => {
  it('of a folder or a GGUF file is taken as it is', async () => {
    await writeFile(join(root, 'config.json'), '{}');
    await writeFile(join(root, 'x.gguf'), '');
    expect(await resolveModel(root)).toEqual({ id: root, path: root, kind: 'folder' });
    const gguf = join(root, 'x.gguf');
    expect(await resolveModel(gguf)).toEqual({ id: gguf, path: gguf, kind: 'gguf' });
  });

  it('of a folder with one GGUF file means that file', async () => {
    await writeFile(join(root, 'x.gguf'), '');
    expect(await resolveModel(root)).toMatchObject({ path: join(root, 'x.gguf'), kind: 'gguf' });
  });

  it('of something else is refused', async () => {
    await writeFile(join(root, 'notes.txt'), '');
    expect((await failure(resolveModel(root))).message).toMatch(/no model[\s\S]*notes\.txt[\s\S]*config\.json/);
    expect(await failure(resolveModel(join(root, 'notes.txt')))).toMatchObject({ code: 'model-folder' });
  });

  it.each(['./no/such/folder', '/no/such/folder', '~/no-such-folder', 'models/x.gguf', '', 'a//b', '../x'])(
    'that leads nowhere is not asked of the hub: %j',
    async (source) => {
      const requests = await start();
      const error = await failure(resolveModel(source, options()));
      expect(error).toMatchObject({ code: 'model-not-found', message: expect.stringMatching(/nothing there/) });
      expect(requests.requests).toEqual([]);
    },
  );
});

describe('a download', () => {
  it('brings the needed files into the layout of the Python tools', async () => {
    const { requests } = await start();
    const progress: DownloadProgress[] = [];
    const found = await resolveModel('org/name', options({ onProgress: (step) => progress.push(step) }));
    expect(found).toEqual({ id: 'org/name', revision: commit, path: snapshot(), kind: 'folder' });
    expect((await readdir(snapshot())).sort()).toEqual([
      'chat_template.jinja',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    await expectWeights(snapshot());
    expect(await readFile(join(repository(), 'refs/main'), 'utf8')).toBe(commit);
    expect(await readlink(join(snapshot(), 'config.json'))).toBe(`../../blobs/${gitHash(model['config.json'])}`);
    expect((await readdir(join(repository(), 'blobs'))).filter((name) => name.includes('.'))).toEqual([]);
    expect(progress).toContainEqual({ file: 'model.safetensors', receivedBytes: 300_000, totalBytes: 300_000 });
    expect(requests.some((line) => /README|onnx|pickle|\.bin/.test(line))).toBe(false);
  });

  it('is not needed a second time, not even the hub', async () => {
    const server = await start();
    const first = await resolveModel('org/name', options());
    server.requests.length = 0;
    expect(await resolveModel('org/name', options({ offline: true }))).toEqual(first);
    expect(await resolveModel('org/name', options())).toEqual(first);
    expect(await resolveModel('org/name', options({ revision: commit }))).toEqual(first);
    expect(server.requests).toEqual([]);
  });

  it('takes PyTorch weights where there are no others, in shards too', async () => {
    const small = without('model.safetensors', 'pytorch_model.bin');
    await start({ ...small, 'pytorch_model.bin': Buffer.from('1') });
    const found = await resolveModel('org/name', options());
    expect(await readFile(join(found.path, 'pytorch_model.bin'), 'utf8')).toBe('1');
    expect(await resolveModel('org/name', options({ offline: true }))).toEqual(found);
    await stop();
    await rm(repository(), { recursive: true });
    const index = { weight_map: { a: 'pytorch_model-1.bin', b: 'pytorch_model-2.bin' } };
    const parts = { 'pytorch_model-1.bin': Buffer.from('1'), 'pytorch_model-2.bin': Buffer.from('2') };
    await start({ ...small, 'pytorch_model.bin.index.json': Buffer.from(JSON.stringify(index)), ...parts });
    await resolveModel('org/name', options());
    expect((await readdir(snapshot())).filter((name) => name.endsWith('.bin'))).toEqual(Object.keys(parts));
  });

  it('fetches several files at a time, and equal ones once', async () => {
    const parts = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`model-${i}.safetensors`, weights]));
    const names = Object.keys(parts);
    const small = without('model.safetensors');
    const index = { weight_map: Object.fromEntries(names.map((name, i) => [`t${i}`, name])) };
    const server = await start({
      ...small,
      'model.safetensors.index.json': Buffer.from(JSON.stringify(index)),
      ...parts,
    });
    let [open, most] = [0, 0];
    const slow: typeof fetch = async (...request) => {
      most = Math.max(most, ++open);
      await sleep(5);
      return fetch(...request).finally(() => open--);
    };
    await resolveModel('org/name', options({ fetch: slow }));
    expect(most).toBe(4);
    expect(server.requests.filter((line) => line.startsWith('GET /model-'))).toHaveLength(1);
    for (const name of names) expect((await readFile(join(snapshot(), name))).equals(weights)).toBe(true);
  });

  it('takes the shards that the index names', async () => {
    const index = { weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } };
    await start({
      'config.json': model['config.json'],
      'tokenizer.json': model['tokenizer.json'],
      'model.safetensors.index.json': Buffer.from(JSON.stringify(index)),
      'model-1.safetensors': Buffer.from('1'),
      'model-2.safetensors': Buffer.from('2'),
      'consolidated.safetensors': Buffer.from('3'),
    });
    await resolveModel('org/name', options());
    expect((await readdir(snapshot())).filter((name) => name.endsWith('.safetensors'))).toEqual([
      'model-1.safetensors',
      'model-2.safetensors',
    ]);
    await rm(join(snapshot(), 'model-2.safetensors'));
    const error = await failure(resolveModel('org/name', options({ offline: true })));
    expect(error.message).toMatch(/cache .*without model-2\.safetensors/);
    await resolveModel('org/name', options());
    expect(await readFile(join(snapshot(), 'model-2.safetensors'), 'utf8')).toBe('2');
  });

  it('reaches into sub-folders and takes single GGUF files', async () => {
    const nested = Object.fromEntries(Object.entries(model).map(([name, bytes]) => [`a/b/${name}`, bytes]));
    await start({ ...nested, 'q/x.gguf': Buffer.from('GGUF') });
    const folder = await resolveModel('org/name/a/b', options());
    expect(folder).toMatchObject({ path: join(snapshot(), 'a/b'), kind: 'folder' });
    expect(await readFile(join(folder.path, 'config.json'))).toEqual(model['config.json']);
    expect(await readlink(join(folder.path, 'config.json'))).toMatch(/^\.\.\/\.\.\/\.\.\/\.\.\/blobs\//);
    const gguf = await resolveModel('org/name/q/x.gguf', options());
    expect(gguf).toMatchObject({ path: join(snapshot(), 'q/x.gguf'), kind: 'gguf' });
    expect(await resolveModel('org/name/q/x.gguf', options({ offline: true }))).toEqual(gguf);
    expect((await failure(resolveModel('org/name', options()))).code).toBe('hub-no-model');
  });

  it('of another revision is noted under its name', async () => {
    await start(model, 'org/name', ['refs/pr/1']);
    await resolveModel('org/name', options({ revision: 'refs/pr/1' }));
    expect(await readFile(join(repository(), 'refs/refs/pr/1'), 'utf8')).toBe(commit);
    expect((await failure(resolveModel('org/name', options()))).message).toMatch(/no such revision/);
    expect(await failure(resolveModel('org/name', options({ revision: '../x' })))).toMatchObject({
      code: 'hub-revision',
    });
  });

  it('follows a renamed repository', async () => {
    const server = await start(model, 'new/name');
    server.faults.push((request, response) => {
      if (request.url?.includes('old/name') !== true) return false;
      response.writeHead(307, { location: request.url.replace('old/name', 'new/name') }).end();
      return true;
    });
    const found = await resolveModel('old/name', options());
    await expectWeights(found.path);
  });

  it('stops when it is told to, and goes on later', async () => {
    const server = await start();
    const abort = new AbortController();
    const onProgress = ({ receivedBytes }: DownloadProgress) => {
      if (receivedBytes > 1000) abort.abort(new RangeError('enough'));
    };
    await expect(resolveModel('org/name', options({ signal: abort.signal, onProgress }))).rejects.toThrow('enough');
    await expect(stat(join(repository(), 'refs'))).rejects.toThrow();
    server.requests.length = 0;
    await resolveModel('org/name', options());
    expect(server.requests.some((line) => line.startsWith('GET /org/name') && line.includes('bytes='))).toBe(true);
  });
});

describe('the token', () => {
  const token = 'hf_secretsecret';

  it('goes to the hub and not to where the hub points', async () => {
    const server = await start();
    await resolveModel('org/name', options({ environment: { HF_HOME: root, HF_TOKEN: ` ${token}\n` } }));
    expect([...server.authorizations.hub]).toEqual([`Bearer ${token}`]);
    expect([...server.authorizations.store]).toEqual([undefined]);
  });

  it('is read from the file of the Python tools', async () => {
    const server = await start();
    await writeFile(join(root, 'token'), token);
    await resolveModel('org/name', options());
    expect([...server.authorizations.hub]).toEqual([`Bearer ${token}`]);
  });

  it('is in no message', async () => {
    const server = await start();
    server.faults.push((_, response) => answer(response, 403));
    const error = await failure(resolveModel('org/name', options({ token })));
    expect(error.message).not.toContain(token);
    const broken = await failure(resolveModel('org/name', options({ token: `${token}\nx` })));
    expect(broken.code).toBe('hub-token');
    expect(broken.message).not.toContain(token);
    const inAddress = await failure(resolveModel('org/name', options({ endpoint: `http://me:${token}@127.0.0.1` })));
    expect(inAddress.message).not.toContain(token);
  });
});

describe('a failure', () => {
  it.each([
    [401, 'RepoNotFound', 'model-not-found', /no such model, or it is private[\s\S]*set HF_TOKEN/],
    [401, 'GatedRepo', 'hub-forbidden', /access[\s\S]*accept its conditions/],
    [403, '', 'hub-forbidden', /denied[\s\S]*set HF_TOKEN/],
    [404, '', 'model-not-found', /not on the hub[\s\S]*spelling/],
    [429, '', 'hub-rate-limit', /too many requests[\s\S]*wait/],
    [503, '', 'hub-server', /problem of its own[\s\S]*later/],
    [418, '', 'hub-status', /status 418/],
  ])('with status %d %s says where it was looked and what to do', async (status, reason, code, message) => {
    const server = await start();
    server.faults.push((_, response) => answer(response, status, reason === '' ? {} : { 'x-error-code': reason }));
    const error = await failure(resolveModel('org/name', options()));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(
      /folder .*org\/name: nothing there\n +cache .*models--org--name: no revision main\n +hub http/,
    );
  });

  it('of the network is told with its reason', async () => {
    const server = await start();
    await stop();
    const error = await failure(resolveModel('org/name', options({ endpoint: server.endpoint })));
    expect(error).toMatchObject({
      code: 'hub-network',
      message: expect.stringMatching(/ECONNREFUSED[\s\S]*HF_HUB_OFFLINE/),
    });
  });

  it('to answer in time is told', async () => {
    const server = await start();
    server.faults.push(() => true);
    const error = await failure(resolveModel('org/name', options({ timeoutMilliseconds: 100 })));
    expect(error).toMatchObject({
      code: 'hub-timeout',
      message: expect.stringMatching(/nothing came from the hub for 0\.1 s/),
    });
  });

  it('offline is told, and nothing is asked', async () => {
    const server = await start();
    const environment = { HF_HOME: root, HF_HUB_OFFLINE: '1' };
    const error = await failure(resolveModel('org/name', options({ environment })));
    expect(error).toMatchObject({ code: 'hub-offline', message: expect.stringMatching(/not asked/) });
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['a sign-in page', '<html>', /no JSON/],
    ['no commit', '{"sha":"../../x","siblings":[]}', /sha/],
    ['no files', JSON.stringify({ sha: commit }), /no list of files/],
    ['a nameless file', JSON.stringify({ sha: commit, siblings: [{}] }), /without a name/],
  ])('of the listing: %s', async (_, text, message) => {
    const server = await start();
    server.faults.push((__, response) => {
      response.end(text);
      return true;
    });
    expect((await failure(resolveModel('org/name', options()))).message).toMatch(message);
  });

  it.each([undefined, '"../../../x"', '"abc"'])('of the etag %s is refused', async (etag) => {
    const server = await start();
    server.faults.push(
      (request, response) => request.method === 'HEAD' && answer(response, 200, etag === undefined ? {} : { etag }),
    );
    expect(await failure(resolveModel('org/name', options()))).toMatchObject({ code: 'hub-reply' });
    await expect(lstat(join(root, 'x'))).rejects.toThrow();
  });

  it('for want of weights says what there is', async () => {
    await start({ 'config.json': Buffer.from('{}'), 'tf_model.h5': Buffer.from('') });
    expect((await failure(resolveModel('org/name', options()))).message).toMatch(/tf_model\.h5/);
  });

  it('of names that lead elsewhere: they are not fetched', async () => {
    const outside = ['../config.json', '/tmp/tokenizer.json', '../../../x', 'a/../tokenizer_config.json'];
    await start({ ...model, ...Object.fromEntries(outside.map((name) => [name, Buffer.from('{}')])) });
    const index = { weight_map: { a: '../../x.safetensors' } };
    await resolveModel('org/name', options());
    expect((await readdir(snapshot())).sort()).toHaveLength(5);
    expect((await readdir(join(repository(), 'snapshots'))).sort()).toEqual([commit]);
    await stop();
    await rm(repository(), { recursive: true });
    const small = without('model.safetensors');
    await start({ ...small, 'model.safetensors.index.json': Buffer.from(JSON.stringify(index)) });
    expect(await failure(resolveModel('org/name', options()))).toMatchObject({ code: 'safetensors-index' });
  });

  it.skipIf(!existsSync('/dev/full'))('of a full disk is told as that (skipped without /dev/full)', async () => {
    const server = await start();
    const hash = createHash('sha256').update(weights).digest('hex');
    await mkdir(join(repository(), 'blobs'), { recursive: true });
    await symlink('/dev/full', join(repository(), 'blobs', `${hash}.incomplete`));
    const error = await failure(resolveModel('org/name', options()));
    expect(error).toMatchObject({ code: 'disk-full', message: expect.stringMatching(/disk is full[\s\S]*free some/) });
    // Not a fault that passes: one try.
    expect(server.requests.filter((line) => line.startsWith('GET /model.safetensors'))).toHaveLength(1);
  });

  it('to store is told as what it is', async () => {
    await start();
    await mkdir(join(root, 'hub'));
    await writeFile(repository(), 'a file where the cache wants a folder');
    const error = await failure(resolveModel('org/name', options()));
    expect(error.message).toMatch(/could not store the download[\s\S]*a part of the path is a file/);
  });
});

describe('the cache', () => {
  async function fillCache(folder: string): Promise<string> {
    const path = join(folder, 'models--org--name/snapshots', commit);
    await mkdir(path, { recursive: true });
    await mkdir(join(folder, 'models--org--name/refs'));
    await writeFile(join(folder, 'models--org--name/refs/main'), `${commit}\n`);
    await writeFile(join(path, 'config.json'), '{}');
    await writeFile(join(path, 'tokenizer.json'), '{}');
    await writeSafetensors(join(path, 'model.safetensors'), []);
    return path;
  }

  it.each([
    ['HF_HUB_CACHE', (r: string) => ({ HF_HUB_CACHE: r, HF_HOME: '/nowhere' }), ''],
    ['HF_HOME', (r: string) => ({ HF_HOME: r, XDG_CACHE_HOME: '/nowhere' }), 'hub'],
    ['XDG_CACHE_HOME', (r: string) => ({ XDG_CACHE_HOME: r }), 'huggingface/hub'],
  ])('is found by %s', async (_, environment, inside) => {
    const path = await fillCache(join(root, inside));
    const found = await resolveModel('org/name', { environment: environment(root), offline: true });
    expect(found).toEqual({ id: 'org/name', revision: commit, path, kind: 'folder' });
  });

  it('without a file is completed from the hub', async () => {
    await start();
    const path = await fillCache(join(root, 'hub'));
    await rm(join(path, 'tokenizer.json'));
    await resolveModel('org/name', options());
    expect(await readFile(join(path, 'tokenizer.json'), 'utf8')).toBe('{}');
  });
});
