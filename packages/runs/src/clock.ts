// Where time comes from: handed in, so that runs and tests can be repeated.

/** Milliseconds since 1970-01-01 UTC; an application passes `Date.now`. */
export type Clock = () => number;

/** `2026-11-21T10:51:00.000Z` for what a clock says. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
