// Recorded cases that lie in this package.
import { join } from 'node:path';

/** Path in the committed selection of golden data. */
export function goldenFixture(...parts: string[]): string {
  return join(import.meta.dirname, '..', '__fixtures__', 'golden', ...parts);
}
