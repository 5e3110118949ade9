// Asks a retriever that speaks Search-R1's protocol.
import { setTimeout as sleep } from 'node:timers/promises';
import { MemGenError } from '@memgen/common';
import { z } from 'zod';
import type { Retrieve, RetrievedPassage } from './retrieve.js';

export interface RetrieverClientOptions {
  /** Default `http://127.0.0.1:8001/retrieve`. */
  url?: string;
  /** For one request, in milliseconds. Default 10 000. */
  timeout?: number;
  /** Further requests after one that failed for a reason that may pass. Default 2. */
  retries?: number;
  /** Before the first retry, in milliseconds; doubles with each. Default 200. */
  retryDelay?: number;
  /** Bytes of an answer. Default 16 MiB. */
  maximumResponseBytes?: number;
}

const responseSchema = z.looseObject({
  result: z.array(
    z.array(z.looseObject({ document: z.looseObject({ contents: z.string() }), score: z.number().optional() })),
  ),
});

/**
 * Errors: `retriever-unreachable` (no answer in time, after all retries), `retriever-refused` (it says the request is
 * wrong, or fails each time), `retriever-response` (it answers something else). Counts what it asked and what failed.
 */
export class RetrieverClient {
  readonly url: string;
  /** Calls of {@link RetrieverClient.retrieve} that gave passages, and that failed. */
  readonly counts = { answered: 0, failed: 0 };
  private readonly limits: Required<Omit<RetrieverClientOptions, 'url'>>;

  constructor({
    url = 'http://127.0.0.1:8001/retrieve',
    timeout = 10_000,
    retries = 2,
    retryDelay = 200,
    maximumResponseBytes = 16 * 2 ** 20,
  }: RetrieverClientOptions = {}) {
    this.url = url;
    this.limits = { timeout, retries, retryDelay, maximumResponseBytes };
  }

  /** Asks once for something; to be called before a run, which would otherwise only learn of failures. */
  async check(): Promise<void> {
    await this.ask(['test'], 1, undefined);
  }

  readonly retrieve: Retrieve = async (queries, { topK, signal }) => {
    if (queries.length === 0) return [];
    try {
      const passages = await this.ask(queries, topK, signal);
      this.counts.answered++;
      return passages;
    } catch (error) {
      if (signal?.aborted !== true) this.counts.failed++;
      throw error;
    }
  };

  private async ask(
    queries: readonly string[],
    topK: number,
    signal: AbortSignal | undefined,
  ): Promise<RetrievedPassage[][]> {
    const body = JSON.stringify({ queries, topk: topK, return_scores: true });
    const { retries, retryDelay } = this.limits;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return this.read(await this.post(body, signal), queries.length, topK);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof Passing)) throw error;
        if (attempt >= retries) throw error.lasting(attempt + 1);
        await sleep(retryDelay * 2 ** attempt, undefined, { signal });
      }
    }
  }

  private async post(body: string, signal: AbortSignal | undefined): Promise<string> {
    const { timeout, maximumResponseBytes } = this.limits;
    const limit = AbortSignal.timeout(timeout);
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      });
      text = await readText(response, maximumResponseBytes, this.url);
    } catch (error) {
      if (MemGenError.isInstance(error)) throw error;
      const got = limit.aborted ? `no answer in ${timeout} ms` : messageOf(error);
      throw new Passing('retriever-unreachable', this.url, 'the retriever does not answer', got, error);
    }
    if (response.ok) return text;
    const got = `status ${response.status}: ${text.slice(0, 300)}`;
    if (response.status === 429 || response.status >= 500) {
      throw new Passing('retriever-refused', this.url, 'the retriever fails', got);
    }
    throw new MemGenError({
      code: 'retriever-refused',
      where: this.url,
      message: 'the retriever refuses the request',
      got,
      hint: 'check the address, and the limits of the retriever',
    });
  }

  private read(text: string, queries: number, topK: number): RetrievedPassage[][] {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    const parsed = responseSchema.safeParse(value);
    if (!parsed.success || parsed.data.result.length !== queries) {
      throw new MemGenError({
        code: 'retriever-response',
        where: this.url,
        message: 'the answer is not that of a retriever',
        got: text.slice(0, 120),
        expected: `{result: [[{document: {contents}, score}]]} with one list for each of ${queries} queries`,
        hint: 'check that the address is that of a server of Search-R1 or memgen-retriever',
      });
    }
    return parsed.data.result.map((passages) =>
      passages.slice(0, topK).map(({ document: { contents }, score = 0 }) => {
        const [title = '', ...lines] = contents.split('\n');
        return { title, text: lines.join('\n'), score };
      }),
    );
  }
}

/** A failure that may pass by itself. */
class Passing extends Error {
  constructor(
    private readonly code: string,
    private readonly where: string,
    message: string,
    private readonly got: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }

  lasting(attempts: number): MemGenError {
    return new MemGenError({
      code: this.code,
      where: this.where,
      message: this.message,
      got: `${this.got} (${attempts} ${attempts === 1 ? 'try' : 'tries'})`,
      hint: 'start one with memgen-retriever --corpus FILE, or give the address of another',
      cause: this.cause,
    });
  }
}

async function readText(response: Response, maximumBytes: number, where: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body === null) return '';
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maximumBytes) {
      throw new MemGenError({
        code: 'retriever-response',
        where,
        message: 'the answer of the retriever is too large',
        expected: `at most ${maximumBytes} bytes`,
        hint: 'ask for fewer passages or queries at once',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says only that it failed; why is in its cause.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
