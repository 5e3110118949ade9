// Downloads from a real server on this machine: whole, resumed, cut off, wrong.
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { download } from './download.js';

const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251));
const sha256 = createHash('sha256').update(content).digest('hex');
const ranges: (string | undefined)[] = [];

/** `/plain` ignores ranges, `/cut` breaks off half-way, `/long` adds a byte, `/wrong` changes one. */
function serve(request: IncomingMessage, response: ServerResponse): void {
  ranges.push(request.headers.range);
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (request.url === '/missing') response.writeHead(404).end();
  else if (request.url === '/plain') response.end(content);
  else if (request.url === '/long') response.end(Buffer.concat([content, Buffer.alloc(1)]));
  else if (request.url === '/wrong') response.end(Buffer.concat([content.subarray(0, -1), Buffer.from([0])]));
  else if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 20));
  } else {
    response.writeHead(start > 0 ? 206 : 200);
    response.end(content.subarray(start));
  }
}

let server: Server;
let base: string;
let folder: string;

beforeAll(async () => {
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' ? address!.port : ''}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-download-'));
  ranges.length = 0;
});

function fetchFrom(page: string, onProgress?: (done: number) => void): Promise<void> {
  const locate = (): Promise<string> => Promise.resolve(`${base}${page}`);
  return download({ locate, path: join(folder, 'file'), size: content.length, sha256, onProgress });
}

describe('download', () => {
  it('fetches a file, reports progress and asks for nothing the second time', async () => {
    const progress: number[] = [];
    await fetchFrom('/file', (done) => progress.push(done));
    expect(await readFile(join(folder, 'file'))).toEqual(content);
    expect(progress.at(-1)).toBe(content.length);
    await fetchFrom('/file');
    expect(ranges).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('goes on where a broken download stopped', async () => {
    await expect(fetchFrom('/cut')).rejects.toMatchObject({ code: 'backend-download' });
    expect(await readdir(folder)).toEqual(['file.partial']);
    await fetchFrom('/file');
    expect(ranges[1]).toMatch(/^bytes=\d+-$/);
    expect(Number(/\d+/.exec(ranges[1]!)![0])).toBeGreaterThan(0);
    expect(await readFile(join(folder, 'file'))).toEqual(content);
  });

  it('starts again where the server cannot continue', async () => {
    await writeFile(join(folder, 'file.partial'), content.subarray(0, 5000));
    await fetchFrom('/plain');
    expect(await readFile(join(folder, 'file'))).toEqual(content);
  });

  it('replaces a file of the same name with other content', async () => {
    await writeFile(join(folder, 'file'), Buffer.alloc(content.length));
    await fetchFrom('/file');
    expect(await readFile(join(folder, 'file'))).toEqual(content);
  });

  it('deletes what does not match its hash', async () => {
    await expect(fetchFrom('/wrong')).rejects.toMatchObject({ code: 'backend-hash', expected: `sha256 ${sha256}` });
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses more bytes than expected, and an error page', async () => {
    await expect(fetchFrom('/long')).rejects.toThrow(`the server sent more than ${content.length} bytes`);
    await expect(fetchFrom('/missing')).rejects.toThrow('the server answered 404');
  });
});
