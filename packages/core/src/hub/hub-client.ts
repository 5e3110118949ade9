// Requests to the hub: with the token, a time limit, and errors that explain themselves.
import { MemGenError } from '@memgen/common';
import { isCommit } from './cache-layout.js';
import { readRetryAfter } from './retry-after.js';
import { toNetworkError, toStatusError, toTimeoutError, withoutSecrets } from './hub-error.js';
import type { HubSettings } from './hub-settings.js';

/** How requests are made. */
export interface RequestOptions {
  /** @default globalThis.fetch */
  fetch?: typeof fetch | undefined;
  /** Aborts everything; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** Longest time without a byte. @default 30000 */
  timeoutMilliseconds?: number | undefined;
}

/** A revision of a repository, as the hub describes it. */
export interface RepositoryInfo {
  commit: string;
  /** All files, with sizes in bytes where known. */
  files: ReadonlyMap<string, number | undefined>;
}

/** What the hub says of a file before sending it. */
export interface FileInfo {
  /** SHA-256 of a large file, git's SHA-1 of a small one; names the blob in the cache. */
  etag: string;
  size: number | undefined;
}

/** Longest chain of moves of a renamed repository. */
const mostRedirects = 5;

export class HubClient {
  private readonly fetch: typeof fetch;
  /** Aborts everything. */
  readonly signal: AbortSignal | undefined;
  readonly timeoutMilliseconds: number;

  constructor(
    private readonly settings: Pick<HubSettings, 'endpoint' | 'token'>,
    { fetch: request = globalThis.fetch, signal, timeoutMilliseconds = 30_000 }: RequestOptions = {},
  ) {
    this.fetch = request;
    this.signal = signal;
    this.timeoutMilliseconds = timeoutMilliseconds;
  }

  /** The same client, which another signal stops as well. */
  stoppedBy(signal: AbortSignal): HubClient {
    const { fetch: request, timeoutMilliseconds } = this;
    const signals = this.signal === undefined ? [signal] : [this.signal, signal];
    return new HubClient(this.settings, { fetch: request, signal: AbortSignal.any(signals), timeoutMilliseconds });
  }

  /** Commit and files of a branch, tag or commit. */
  async describe(repository: string, revision: string): Promise<RepositoryInfo> {
    const { endpoint } = this.settings;
    const url = `${endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
    const text = await this.receive(url, {}, (response) => response.text());
    return readRepositoryInfo(text, url);
  }

  fileUrl(repository: string, commit: string, path: string): string {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    return `${this.settings.endpoint}/${repository}/resolve/${commit}/${encoded}`;
  }

  /** Asks for the etag and size of a file. Large files live elsewhere: the hub's own answer is what counts. */
  async inspect(url: string): Promise<FileInfo> {
    let at = url;
    for (let i = 0; i <= mostRedirects; i++) {
      const { headers, status } = await this.receive(at, { method: 'HEAD', redirect: 'manual' }, (response) =>
        Promise.resolve(response),
      );
      const location = headers.get('location');
      const linked = headers.get('x-linked-etag');
      const next = location === null || linked !== null ? undefined : new URL(location, at);
      if (next?.origin === new URL(at).origin) {
        at = next.href;
        continue;
      }
      const isDirect = status < 300;
      const size = headers.get('x-linked-size') ?? (isDirect ? headers.get('content-length') : null);
      return { etag: readEtag(linked ?? headers.get('etag'), url), size: size === null ? undefined : Number(size) };
    }
    throw replyError(url, 'it sends the request round in a circle');
  }

  /**
   * Requests `url` and hands the answer to `use` while the time limit runs; `use` calls `alive` for each piece that comes.
   *
   * @throws MemGenError for an answer other than 2xx (and 3xx where redirects are not followed), no answer, or silence.
   */
  async receive<T>(
    url: string,
    init: { method?: 'HEAD'; redirect?: 'manual'; headers?: Readonly<Record<string, string>> },
    use: (response: Response, alive: () => void) => Promise<T>,
  ): Promise<T> {
    const silence = new AbortController();
    const timer = setTimeout(() => {
      silence.abort();
    }, this.timeoutMilliseconds);
    const signals = this.signal === undefined ? [silence.signal] : [silence.signal, this.signal];
    try {
      const response = await this.fetch(url, {
        ...init,
        headers: { ...this.headers(), ...init.headers },
        signal: AbortSignal.any(signals),
      });
      const isMove = init.redirect === 'manual' && response.status >= 300 && response.status < 400;
      if (!response.ok && !isMove) {
        await response.body?.cancel();
        throw this.refused(response, url);
      }
      return await use(response, () => timer.refresh());
    } catch (error) {
      this.signal?.throwIfAborted();
      if (silence.signal.aborted) throw toTimeoutError(url, this.timeoutMilliseconds);
      throw MemGenError.isInstance(error) || isFileError(error) ? error : toNetworkError(error, url);
    } finally {
      clearTimeout(timer);
    }
  }

  private headers(): Record<string, string> {
    const { token } = this.settings;
    // Compressed answers would have another length than the file.
    const plain = { 'accept-encoding': 'identity', 'user-agent': 'memgen' };
    return token === undefined ? plain : { ...plain, authorization: `Bearer ${token}` };
  }

  private refused({ status, headers }: Response, url: string): MemGenError {
    const reason = headers.get('x-error-code');
    const waitMilliseconds = readRetryAfter(headers);
    return toStatusError({ status, url, reason, hasToken: this.settings.token !== undefined, waitMilliseconds });
  }
}

function readRepositoryInfo(text: string, url: string): RepositoryInfo {
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    throw replyError(url, 'text that is no JSON');
  }
  if (!isRecord(reply)) throw replyError(url, 'no JSON object');
  const { sha, siblings } = reply;
  if (typeof sha !== 'string' || !isCommit(sha)) throw replyError(url, `sha ${JSON.stringify(sha)}`);
  if (!Array.isArray(siblings)) throw replyError(url, 'no list of files');
  const files = new Map<string, number | undefined>();
  for (const file of siblings) {
    if (!isRecord(file) || typeof file.rfilename !== 'string') throw replyError(url, 'a file without a name');
    files.set(file.rfilename, typeof file.size === 'number' ? file.size : undefined);
  }
  return { commit: sha, files };
}

/** Etags become file names: nothing but the hexadecimal digits of a hash is accepted. */
function readEtag(header: string | null, url: string): string {
  const etag = header?.replace(/^W\//, '').replaceAll('"', '');
  if (etag !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) return etag;
  throw replyError(url, `etag ${JSON.stringify(header)}`);
}

function replyError(url: string, got: string): MemGenError {
  return new MemGenError({
    code: 'hub-reply',
    where: withoutSecrets(url),
    message: 'this is not how a Hugging Face hub answers',
    got,
    hint: 'check HF_ENDPOINT; a proxy or a sign-in page may be in between',
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Writing what came may fail as well; that is no fault of the network. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && (error.syscall === 'write' || error.syscall === 'ftruncate');
}
