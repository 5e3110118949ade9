// What can go wrong between here and the hub, said so that a person knows what to do.
import { MemGenError, type MemGenErrorDetails } from '@memgen/common';

/** An answer of the hub that is no success. */
interface RefusedAnswer {
  status: number;
  url: string;
  /** The hub's own reason, e.g. `GatedRepo`, where it gives one. */
  reason: string | null;
  hasToken: boolean;
  /** What the answer says of when to ask again. */
  waitMilliseconds?: number | undefined;
}

/** An answer that asks to come back later. */
export class ComeBackError extends MemGenError {
  constructor(
    details: MemGenErrorDetails,
    /** How long to wait before the next try. */
    readonly waitMilliseconds: number,
  ) {
    super(details);
  }
}

/** Explains a status code. @returns an error with code `hub-unauthorized`, `hub-not-found`, ... */
export function toStatusError(answer: RefusedAnswer): MemGenError {
  const { status, url, reason, hasToken, waitMilliseconds: wait } = answer;
  const later = wait === undefined ? '' : `, to be asked again in ${Math.ceil(wait / 1000)} s`;
  const got = `status ${status}${reason === null ? '' : ` (${reason})`}${later}`;
  const details = { where: withoutSecrets(url), got, ...explain(status, reason, hasToken) };
  return wait === undefined ? new MemGenError(details) : new ComeBackError(details, wait);
}

function explain(status: number, reason: string | null, hasToken: boolean) {
  const token = hasToken ? 'check that the token is valid and may read this model' : 'set HF_TOKEN to an access token';
  if (reason === 'GatedRepo') {
    const hint = `accept its conditions on the page of the model, then ${token}`;
    return { code: 'hub-forbidden', message: 'access to this model has to be granted first', hint };
  }
  if (reason === 'RevisionNotFound') {
    return {
      code: 'hub-not-found',
      message: 'the model has no such revision',
      hint: 'check the branch, tag or commit',
    };
  }
  if (status === 401) {
    const hint = `check the spelling; if it is private, ${token}`;
    return { code: 'hub-unauthorized', message: 'there is no such model, or it is private', hint };
  }
  if (status === 403) return { code: 'hub-forbidden', message: 'access to this model is denied', hint: token };
  if (status === 404) return { code: 'hub-not-found', message: 'this is not on the hub', hint: 'check the spelling' };
  if (status === 429) {
    const hint = hasToken ? 'wait some minutes' : 'wait some minutes, or set HF_TOKEN for a higher limit';
    return { code: 'hub-rate-limit', message: 'the hub has had too many requests from here', hint };
  }
  if (status >= 500) {
    return { code: 'hub-server', message: 'the hub has a problem of its own', hint: 'try again later' };
  }
  return {
    code: 'hub-status',
    message: 'the hub refuses the request',
    hint: 'check HF_ENDPOINT and the name of the model',
  };
}

/** Explains a request that got no answer, or whose answer broke off. */
export function toNetworkError(cause: unknown, url: string): MemGenError {
  const reason = findReason(cause);
  return new MemGenError({
    code: 'hub-network',
    where: withoutSecrets(url),
    message: 'the hub cannot be reached, or the connection broke off',
    got: reason,
    hint: 'check the network and the proxy; where there is none, give a folder or set HF_HUB_OFFLINE=1 to use the cache',
    cause,
  });
}

/** Nothing came for a while. */
export function toTimeoutError(url: string, milliseconds: number): MemGenError {
  return new MemGenError({
    code: 'hub-timeout',
    where: withoutSecrets(url),
    message: `nothing came from the hub for ${milliseconds / 1000} s`,
    hint: 'try again; what has arrived is kept',
  });
}

/** Signed addresses carry their permission in the query. */
export function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return 'an address that cannot be read';
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** The innermost cause says most: fetch itself only says that it failed. */
function findReason(error: unknown): string {
  let reason = String(error);
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const code = 'code' in inner ? String(inner.code) : '';
    reason = inner.message === '' ? code : inner.message;
  }
  return reason;
}
