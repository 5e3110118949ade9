// A small hub on 127.0.0.1 for tests: repository listing, HEAD with etags, downloads with ranges, and faults on demand.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const commit = 'c'.repeat(40);

/** Answers a request itself and returns true, or leaves it. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface TestHub {
  endpoint: string;
  /** `METHOD path range?` of every request, in order. */
  requests: string[];
  /** Authorization headers seen by the hub, and by the store of large files. */
  authorizations: { hub: Set<string | undefined>; store: Set<string | undefined> };
  /** Asked before the hub answers. */
  faults: Fault[];
  close: () => Promise<void>;
}

/** Large files (named `*.safetensors` or `*.gguf`) have SHA-256 etags and are moved to another origin, as on the hub. */
export async function startTestHub(
  files: Record<string, Uint8Array>,
  repository = 'org/name',
  revisions = ['main'],
): Promise<TestHub> {
  const requests: string[] = [];
  const authorizations = { hub: new Set<string | undefined>(), store: new Set<string | undefined>() };
  const faults: Fault[] = [];
  const note = (request: IncomingMessage): void => {
    requests.push([request.method, request.url, request.headers.range].filter((text) => text !== undefined).join(' '));
  };

  const store = await listen((request, response) => {
    note(request);
    authorizations.store.add(request.headers.authorization);
    if (faults.some((fault) => fault(request, response))) return;
    const bytes = files[decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname.slice(1))];
    if (bytes === undefined) response.writeHead(404).end();
    else sendBytes(request, response, bytes);
  });
  const hub = await listen((request, response) => {
    note(request);
    authorizations.hub.add(request.headers.authorization);
    if (faults.some((fault) => fault(request, response))) return;
    const url = request.url ?? '';
    const [, revision] = /\/revision\/([^?]+)/.exec(url) ?? [];
    if (url.startsWith(`/api/models/${repository}/revision/`)) {
      const known = [...revisions, commit].includes(decodeURIComponent(revision ?? ''));
      if (!known) return response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end();
      const siblings = Object.entries(files).map(([rfilename, { length: size }]) => ({ rfilename, size }));
      return response.end(JSON.stringify({ sha: commit, siblings }));
    }
    const path = decodeURIComponent(url.replace(`/${repository}/resolve/${commit}/`, ''));
    const bytes = files[path];
    if (bytes === undefined) return response.writeHead(401, { 'x-error-code': 'RepoNotFound' }).end();
    if (!/\.(safetensors|gguf)$/.test(path)) {
      response.setHeader('etag', `"${gitHash(bytes)}"`);
      sendBytes(request, response, bytes);
      return;
    }
    return response
      .writeHead(302, {
        location: `${addressOf(store)}/${path}?signature=secret`,
        etag: '"of-the-redirect"',
        'x-linked-etag': `"${createHash('sha256').update(bytes).digest('hex')}"`,
        'x-linked-size': String(bytes.length),
      })
      .end();
  });
  return {
    endpoint: addressOf(hub),
    requests,
    authorizations,
    faults,
    close: async () => {
      await Promise.all([hub, store].map(stop));
    },
  };
}

export function gitHash(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const part = bytes.subarray(start);
  const range = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': part.length, ...range });
  response.end(request.method === 'HEAD' ? undefined : part);
}

async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function stop(server: Server): Promise<unknown> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}
