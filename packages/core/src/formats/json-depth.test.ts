// Depth counts brackets outside of texts only.
import { expect, it } from 'vitest';
import { deepestJson, isTooDeep } from './json-depth.js';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

it('allows the limit and no more', () => {
  expect(isTooDeep(nested(deepestJson))).toBe(false);
  expect(isTooDeep(nested(deepestJson + 1))).toBe(true);
  expect(isTooDeep(`${'{"a":'.repeat(deepestJson + 1)}0${'}'.repeat(deepestJson + 1)}`)).toBe(true);
});

it('counts what is open, not what was', () => {
  expect(isTooDeep(`[${Array.from({ length: 1000 }, () => nested(3)).join()}]`)).toBe(false);
});

it('does not count brackets in texts', () => {
  const text = '['.repeat(1000);
  for (const value of [text, `"${text}`, `\\"${text}`, `${text}\\`, { [text]: text }]) {
    expect(isTooDeep(JSON.stringify(value)), JSON.stringify(value).slice(0, 10)).toBe(false);
  }
  expect(isTooDeep(`["a\\\\",${nested(deepestJson)}]`)).toBe(true);
});
