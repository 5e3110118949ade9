// Serves an index over HTTP in Search-R1's protocol.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemGenError, silentLogger, type Logger } from '@memgen/common';
import { z } from 'zod';
import type { RetrievedPassage } from '../search/retrieve.js';

/** What is served: the passages that fit a query best. */
export interface SearchIndex {
  search(
    query: string,
    topK: number,
  ): readonly (RetrievedPassage & { id: string })[] | Promise<readonly (RetrievedPassage & { id: string })[]>;
}

export interface RetrieverServerOptions {
  index: SearchIndex;
  /** Address to listen at. Default the loopback, which only this machine reaches: there is no authentication. */
  host?: string;
  /** Default 8001, Search-R1's; 0 takes a free one. */
  port?: number;
  /** Passages per query where a request does not say. Default 3. */
  topK?: number;
  /** Bytes of a request. Default 1 MiB. */
  maximumBodyBytes?: number;
  /** Queries of a request. Default 512. */
  maximumQueries?: number;
  /** Characters of a query. Default 4096. */
  maximumQueryLength?: number;
  /** Passages per query that a request may ask for. Default 100. */
  maximumTopK?: number;
  logger?: Logger;
}

export interface RetrieverServer {
  /** Where clients ask, e.g. `http://127.0.0.1:8001/retrieve`. */
  url: string;
  /** Stops listening and cuts connections. */
  close(): Promise<void>;
}

/**
 * `POST /retrieve {queries: string[], topk?: number, return_scores?: boolean}` answers
 * `{result: [[{document: {id, contents: "title\ntext"}, score}]]}`, without scores `{result: [[{id, contents}]]}`;
 * `GET /health` answers `{status: "ok"}`. Refusals are `{error: {code, message}}` with 400, 404, 405 or 413.
 *
 * @throws MemGenError `retriever-port` if it cannot listen there.
 */
export async function serveRetriever({
  index,
  host = '127.0.0.1',
  port = 8001,
  topK = 3,
  maximumBodyBytes = 2 ** 20,
  maximumQueries = 512,
  maximumQueryLength = 4096,
  maximumTopK = 100,
  logger = silentLogger,
}: RetrieverServerOptions): Promise<RetrieverServer> {
  const schema = z.looseObject({
    queries: z.array(z.string().max(maximumQueryLength)).min(1).max(maximumQueries),
    topk: z.int().min(1).max(maximumTopK).nullish(),
    return_scores: z.boolean().nullish(),
  });

  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const path = request.url?.split('?', 1)[0];
    if (path === '/health') return { status: 'ok' };
    if (path !== '/retrieve') throw new Refusal(404, 'not-found', 'ask POST /retrieve');
    if (request.method !== 'POST') throw new Refusal(405, 'method', 'ask POST /retrieve');
    const parsed = schema.safeParse(await readJson(request, maximumBodyBytes));
    if (!parsed.success) throw new Refusal(400, 'request', z.prettifyError(parsed.error));
    const { queries, topk, return_scores } = parsed.data;
    const result: unknown[] = [];
    for (const query of queries) {
      const passages = await index.search(query, topk ?? topK);
      result.push(
        passages.map(({ id, title, text, score }) => {
          const document = { id, contents: `${title}\n${text}` };
          return return_scores === true ? { document, score } : document;
        }),
      );
    }
    return { result };
  };

  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request).then(
      (value) => {
        send(response, 200, value);
      },
      (error: unknown) => {
        if (error instanceof Refusal) {
          send(response, error.status, { error: { code: error.code, message: error.message } });
          return;
        }
        logger.warn(`a search failed: ${String(error)}`);
        send(response, 500, { error: { code: 'internal', message: 'the search failed' } });
      },
    );
  });
  const address = await listen(server, port, host);
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${shownHost}:${address.port}/retrieve`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

async function readJson(request: IncomingMessage, maximumBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maximumBytes) throw new Refusal(413, 'body-size', `a request has at most ${maximumBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'json', 'the body is not valid JSON');
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(value);
  // After a refusal the rest of the request is not waited for.
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, status === 200 ? headers : { ...headers, connection: 'close' });
  response.end(body);
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new MemGenError({
          code: 'retriever-port',
          where: `${host}:${port}`,
          message: 'the retriever cannot listen there',
          got: error.message,
          hint: error.code === 'EADDRINUSE' ? 'something else uses this port: choose another' : 'check host and port',
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => {
      resolve(server.address() as AddressInfo);
    });
  });
}
