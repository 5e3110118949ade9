// The run folder's path from the pattern of the configuration.
import { MemGenError } from '@memgen/common';

export interface OutputPathValues {
  name: string;
  seed: number;
  /** When the run starts. */
  now: Date;
}

/**
 * Fills `{name}`, `{seed}` and `{timestamp}` (UTC, `20261121-105100`, which sorts) into `pattern`.
 *
 * @throws MemGenError with code `config` for any other `{word}`.
 */
export function outputPath(pattern: string, { name, seed, now }: OutputPathValues): string {
  const timestamp = now.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const values = new Map([
    ['name', name],
    ['seed', String(seed)],
    ['timestamp', timestamp],
  ]);
  return pattern.replace(/\{([^{}]*)\}/g, (placeholder, word: string) => {
    const value = values.get(word);
    if (value !== undefined) return value;
    throw new MemGenError({
      code: 'config',
      where: 'output',
      message: 'the pattern of the run folder has a placeholder that is not known',
      got: placeholder,
      expected: [...values.keys()].map((known) => `{${known}}`).join(', '),
    });
  });
}
