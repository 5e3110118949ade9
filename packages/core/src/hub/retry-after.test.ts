// Seconds, dates, and what is neither.
import { expect, it } from 'vitest';
import { readRetryAfter } from './retry-after.js';

const date = 'Wed, 21 Oct 2015 07:28:00 GMT';

it.each<[Record<string, string>, number | undefined]>([
  [{}, undefined],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '120' }, 120_000],
  [{ 'retry-after': '-1' }, undefined],
  [{ 'retry-after': '1e9' }, undefined],
  [{ 'retry-after': '9'.repeat(30) }, undefined],
  [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT', date }, 30_000],
  [{ 'retry-after': 'Wed, 21 Oct 2015 07:00:00 GMT', date }, 0],
  [{ 'retry-after': date }, undefined],
  [{ 'retry-after': 'soon', date }, undefined],
])('%j', (headers, milliseconds) => {
  expect(readRetryAfter(new Headers(headers))).toBe(milliseconds);
});
