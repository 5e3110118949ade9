import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRetriever } from '../cli/retriever.js';
import { loadTriviaQa, readTriviaQaFile } from '../data/triviaqa.js';
import { RetrieverClient } from '../search/retriever-client.js';
import { containsAlias } from '../search/question-answering.js';
import { Bm25Index } from './bm25-index.js';
import { readCorpus } from './read-corpus.js';
import { serveRetriever, type RetrieverServer } from './retriever-server.js';

const corpus = join(import.meta.dirname, '__fixtures__/passages.jsonl');
const questions = join(import.meta.dirname, '../data/__fixtures__/triviaqa');
const shared = join(process.env['MEMGEN_SHARED'] ?? resolve(import.meta.dirname, '../../../../../shared'), 'data');
const hasRealData = existsSync(join(shared, 'wiki_passages.jsonl.gz'));

let server: RetrieverServer;
beforeAll(async () => {
  const index = new Bm25Index(await readCorpus(corpus));
  server = await serveRetriever({ index, port: 0, maximumBodyBytes: 1000, maximumQueries: 4, maximumTopK: 10 });
});
afterAll(() => server.close());

const post = async (body: string, path = '') => {
  const response = await fetch(server.url + path, { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as { error?: { code: string } } };
};

describe('retriever', () => {
  it('finds the passages that hold the answers', async () => {
    const client = new RetrieverClient({ url: server.url });
    await client.check();
    const rows = await readTriviaQaFile(join(questions, 'triviaqa.jsonl'));
    const found = await client.retrieve(
      rows.slice(0, 4).map(({ question }) => question),
      { topK: 2 },
    );
    for (const [i, passages] of found.entries()) {
      expect(passages.length).toBeGreaterThan(0);
      expect(passages.length).toBeLessThanOrEqual(2);
      expect(passages.some(({ text }) => containsAlias(text, rows[i]!.answers))).toBe(true);
    }
    expect(client.counts).toEqual({ answered: 1, failed: 0 });
    expect(await client.retrieve(['xyzzy'], { topK: 2 })).toEqual([[]]);
  });

  it("speaks Search-R1's protocol", async () => {
    const scored = await post(JSON.stringify({ queries: ['river Sill'], topk: 1, return_scores: true }));
    const contents = 'Dunhaven\nDunhaven lies on the river Sill, an hour from the sea.';
    const score: unknown = expect.any(Number);
    expect(scored).toEqual({ status: 200, body: { result: [[{ document: { id: '1', contents }, score }]] } });
    const plain = await post(JSON.stringify({ queries: ['river Sill'], topk: 1 }));
    expect(plain.body).toEqual({ result: [[{ id: '1', contents }]] });
  });

  it('refuses what is not a request, or too much', async () => {
    const refusals = await Promise.all([
      post('{'),
      post('{"queries": "one"}'),
      post('{"queries": []}'),
      post(JSON.stringify({ queries: ['a', 'b', 'c', 'd', 'e'] })),
      post(JSON.stringify({ queries: ['a'], topk: 11 })),
      post(JSON.stringify({ queries: ['x'.repeat(2000)] })),
      post('{}', '/else'),
    ]);
    expect(refusals.map(({ status, body }) => `${status} ${body.error?.code}`)).toEqual([
      '400 json',
      '400 request',
      '400 request',
      '400 request',
      '400 request',
      '413 body-size',
      '404 not-found',
    ]);
    expect((await fetch(server.url)).status).toBe(405);
    await expect(
      serveRetriever({ index: new Bm25Index([]), port: Number(new URL(server.url).port) }),
    ).rejects.toMatchObject({ code: 'retriever-port' });
  });

  it('is served by a command', async () => {
    const errors: string[] = [];
    const printError = (line: string) => errors.push(line);
    const code = await runRetriever(['node', 'x', '--corpus', join(corpus, 'none'), '--port', '0'], {
      print: () => undefined,
      printError,
    });
    expect([code, errors.length]).toEqual([1, 1]);
  });

  it.skipIf(!hasRealData)(`finds answers among real passages${hasRealData ? '' : ' (skipped: no data)'}`, async () => {
    const index = new Bm25Index(await readCorpus(join(shared, 'wiki_passages.jsonl.gz')));
    expect(index.size).toBe(9654);
    const { train, validation, test } = await loadTriviaQa({ source: shared, seed: 7 });
    expect([train.length, validation.length, test.length]).toEqual([600, 100, 300]);
    const found = test.filter(({ question, answers }) =>
      index.search(question, 3).some(({ text }) => containsAlias(text.replaceAll('\n', ' '), answers)),
    );
    // Of all questions 86 % have an answer somewhere in the corpus.
    expect(found.length / test.length).toBeGreaterThan(0.6);
  });
});

describe('RetrieverClient', () => {
  const serve = async (answer: (attempt: number) => { status: number; body: string } | undefined) => {
    let attempts = 0;
    const other = createServer((_, response) => {
      const reply = answer(++attempts);
      if (reply !== undefined) response.writeHead(reply.status).end(reply.body);
    });
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    const client = new RetrieverClient({
      url: `http://127.0.0.1:${port}/retrieve`,
      timeout: 200,
      retryDelay: 1,
      maximumResponseBytes: 1000,
    });
    const close = () => {
      other.closeAllConnections();
      other.close();
    };
    return { client, close, attempts: () => attempts };
  };
  const one = JSON.stringify({ result: [[{ document: { contents: 'T\na\nb' }, score: 1 }]] });

  it('tries again what may pass, and nothing else', async () => {
    const passing = await serve((attempt) => ({ status: attempt < 3 ? 503 : 200, body: attempt < 3 ? 'busy' : one }));
    expect(await passing.client.retrieve(['q'], { topK: 3 })).toEqual([[{ title: 'T', text: 'a\nb', score: 1 }]]);
    expect(passing.attempts()).toBe(3);
    passing.close();
    const refusing = await serve(() => ({ status: 400, body: 'no' }));
    await expect(refusing.client.retrieve(['q'], { topK: 3 })).rejects.toMatchObject({ code: 'retriever-refused' });
    expect([refusing.attempts(), refusing.client.counts]).toEqual([1, { answered: 0, failed: 1 }]);
    refusing.close();
  });

  it.each([
    ['nothing', undefined, 'retriever-unreachable'],
    ['failures', { status: 500, body: 'oh' }, 'retriever-refused'],
    ['something else', { status: 200, body: '<html>' }, 'retriever-response'],
    ['too few lists', { status: 200, body: '{"result": []}' }, 'retriever-response'],
    ['too much', { status: 200, body: one + ' '.repeat(1000) }, 'retriever-response'],
  ])('says what is wrong with %s', async (_, reply, code) => {
    const { client, close } = await serve(() => reply);
    await expect(client.check()).rejects.toMatchObject({ code, where: client.url });
    close();
    await expect(client.check()).rejects.toMatchObject({ code: 'retriever-unreachable' });
  });

  it('stops when aborted', async () => {
    const { client, close, attempts } = await serve(() => undefined);
    const signal = AbortSignal.timeout(20);
    await expect(client.retrieve(['q'], { topK: 1, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect([attempts(), client.counts.failed]).toEqual([1, 0]);
    close();
  });
});
