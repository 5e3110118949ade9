// When a server says that it wants to be asked again.

/**
 * The wait that `Retry-After` asks for, which is either seconds or a date. A date counts from the server's own `Date`, so
 * that no clock of this machine is needed, right or wrong.
 *
 * @returns milliseconds, or undefined where nothing that can be understood is said.
 */
export function readRetryAfter(headers: Pick<Headers, 'get'>): number | undefined {
  const said = headers.get('retry-after')?.trim();
  if (said === undefined) return undefined;
  if (/^\d{1,9}$/.test(said)) return Number(said) * 1000;
  const wait = Date.parse(said) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(wait) ? Math.max(wait, 0) : undefined;
}
