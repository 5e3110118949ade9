import { lstat, mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../formats/safetensors/index.js';
import { commit, gitHash, startTestHub, type Fault, type TestHub } from './hub-server.test-helper.js';
import { resolveModel, type DownloadProgress, type ResolveModelOptions } from './index.js';

let root: string;
let hub: TestHub | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-hub-'));
});
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  await rm(root, { recursive: true, force: true });
});

const weights = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 251));
const model = {
  'README.md': Buffer.from('# model'),
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'tokenizer.json': Buffer.from('{}'),
  'tokenizer_config.json': Buffer.from('{"a":1}'),
  'chat_template.jinja': Buffer.from('{{ messages }}'),
  'model.safetensors': weights,
  'pytorch_model.bin': Buffer.from('pickle'),
  'onnx/model.onnx': Buffer.from('onnx'),
};

async function start(files: Record<string, Uint8Array> = model, ...more: [string?, string[]?]): Promise<TestHub> {
  hub = await startTestHub(files, ...more);
  return hub;
}

/** Nothing of the real environment takes part. */
function options(more: ResolveModelOptions = {}): ResolveModelOptions {
  return {
    endpoint: hub?.endpoint ?? 'http://127.0.0.1:9',
    environment: { HF_HOME: root },
    retryDelayMilliseconds: 1,
    timeoutMilliseconds: 5_000,
    ...more,
  };
}

const repository = () => join(root, 'hub/models--org--name');
const snapshot = () => join(repository(), 'snapshots', commit);

async function expectWeights(folder: string): Promise<void> {
  // Comparing large buffers with toEqual takes seconds.
  expect((await readFile(join(folder, 'model.safetensors'))).equals(weights)).toBe(true);
}

async function failure(attempt: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'MemGenError' });
  return error as { code: string; message: string };
}

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
    expect(progress.at(-1)).toEqual({ file: 'model.safetensors', receivedBytes: 300_000, totalBytes: 300_000 });
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

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}): true {
  response.writeHead(status, headers).end();
  return true;
}

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
    await server.close();
    hub = undefined;
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

  it('for want of safetensors says what there is', async () => {
    await start({ 'config.json': Buffer.from('{}'), 'pytorch_model.bin': Buffer.from('') });
    expect((await failure(resolveModel('org/name', options()))).message).toMatch(/pytorch_model\.bin/);
  });

  it('to store is told as what it is', async () => {
    await start();
    await mkdir(join(root, 'hub'));
    await writeFile(repository(), 'a file where the cache wants a folder');
    const error = await failure(resolveModel('org/name', options()));
    expect(error.message).toMatch(/could not store the download[\s\S]*a part of the path is a file/);
  });
});

describe('a connection', () => {
  /** A fault for the first `times` downloads of the weights. */
  function onWeights(times: number, fault: Fault): Fault {
    let left = times;
    return (request, response) => {
      const isStore = request.method === 'GET' && request.url?.startsWith('/model.safetensors') === true;
      return isStore && left-- > 0 && fault(request, response);
    };
  }

  const dropAfter = (bytes: number) => (start: number, response: ServerResponse) => {
    const range = { 'content-range': `bytes ${start}-${weights.length - 1}/${weights.length}` };
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': weights.length - start,
      ...(start > 0 ? range : {}),
    });
    response.write(weights.subarray(start, start + bytes), () => setTimeout(() => response.destroy(), 20));
    return true;
  };
  const startOf = (range: string | undefined) => Number(/\d+/.exec(range ?? '')?.[0] ?? 0);

  it('that drops is taken up where it broke off', async () => {
    const server = await start();
    const drop = dropAfter(100_000);
    server.faults.push(onWeights(2, (request, response) => drop(startOf(request.headers.range), response)));
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
    const ranges = server.requests.filter((line) => line.startsWith('GET /model')).map((line) => line.split(' ')[2]);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => startOf(range) > 0)).toBe(true);
  });

  it('that always drops ends in an error, and what came is kept for the next time', async () => {
    const server = await start();
    const drop = dropAfter(100_000);
    let isFirst = true;
    const fault = onWeights(3, (request, response) => {
      const done = isFirst ? drop(startOf(request.headers.range), response) : Boolean(response.destroy());
      isFirst = false;
      return done;
    });
    server.faults.push(fault);
    expect(await failure(resolveModel('org/name', options({ tries: 3 })))).toMatchObject({ code: 'hub-network' });
    const kept = (await readdir(join(repository(), 'blobs'))).find((name) => name.endsWith('.incomplete'));
    expect((await stat(join(repository(), 'blobs', kept!))).size).toBeGreaterThan(0);
    await expect(stat(join(repository(), 'refs'))).rejects.toThrow();
    await resolveModel('org/name', options());
    expect(server.requests.at(-1)).toMatch(/bytes=\d+-/);
    await expectWeights(snapshot());
  });

  it('that falls silent in the middle is given up in time and resumed', async () => {
    const server = await start();
    server.faults.push(
      onWeights(1, (_, response) => {
        response.writeHead(200, { 'content-length': weights.length });
        response.write(weights.subarray(0, 50_000));
        return true;
      }),
    );
    await resolveModel('org/name', options({ timeoutMilliseconds: 200 }));
    await expectWeights(snapshot());
  });

  it.each([500, 429])('with a passing status %d is tried again', async (status) => {
    const server = await start();
    server.faults.push(onWeights(2, (_, response) => answer(response, status)));
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it('of a server without ranges starts anew', async () => {
    const server = await start();
    const drop = dropAfter(100_000);
    server.faults.push(
      onWeights(1, (_, response) => drop(0, response)),
      onWeights(1, (_, response) => {
        response.end(weights);
        return true;
      }),
    );
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it.each([
    ['too little', weights.subarray(0, 200_000), /got: +200000 bytes\n +expected: 300000 bytes/],
    ['too much', Buffer.concat([weights, weights]), /expected: 300000 bytes/],
  ])('that delivers %s is an error', async (_, bytes, message) => {
    const server = await start();
    server.faults.push(
      onWeights(9, (__, response) => {
        response.end(bytes);
        return true;
      }),
    );
    const error = await failure(resolveModel('org/name', options({ tries: 2 })));
    expect(error).toMatchObject({ code: 'hub-length', message: expect.stringMatching(message) });
    expect(error.message).not.toContain('secret');
  });

  it('that changes bytes is found out, and the damaged file is gone', async () => {
    const server = await start();
    const damaged = Buffer.from(weights);
    damaged[7]! ^= 1;
    server.faults.push(
      onWeights(1, (_, response) => {
        response.end(damaged);
        return true;
      }),
    );
    expect(await failure(resolveModel('org/name', options()))).toMatchObject({ code: 'hub-checksum' });
    expect((await readdir(join(repository(), 'blobs'))).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
    await resolveModel('org/name', options());
    await expectWeights(snapshot());
  });

  it('goes through the given fetch', async () => {
    const server = await start();
    const urls: string[] = [];
    const counting: typeof fetch = (input, init) => {
      if (typeof input === 'string') urls.push(input);
      return fetch(input, init);
    };
    await resolveModel('org/name', options({ fetch: counting }));
    expect(urls[0]).toBe(`${server.endpoint}/api/models/org/name/revision/main?blobs=true`);
    expect(urls).toHaveLength(11);
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
