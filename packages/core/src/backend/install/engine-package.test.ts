// What is shown of a program's complaint.
import { expect, it } from 'vitest';
import { complaint } from './engine-package.js';

it('starts a complaint at its first line with "error", else shows the end', () => {
  const noise = Array.from({ length: 30 }, (_, line) => `line ${line}`);
  const found = complaint([...noise, "Error: Cannot find module 'x'", '  at here', ...noise].join('\n'), 2);
  expect(found.split('\n').map((line) => line.trim())).toEqual(["Error: Cannot find module 'x'", 'at here']);
  expect(complaint(noise.join('\n'), 1)).toBe('line 29');
});
