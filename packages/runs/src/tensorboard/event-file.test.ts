import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventFile } from './event-file.js';

/** Written by this class and read back with Python's `tensorboard` package: see __fixtures__/README.md. */
const golden = join(import.meta.dirname, '__fixtures__', 'events.out.tfevents.1700000000.golden');

describe('EventFile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memgen-events-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('writes the bytes that TensorBoard was seen to read', () => {
    const file = EventFile.open(folder, { startTime: 1_700_000_000.5, suffix: 'golden' });
    file.append(1_700_000_001.25, 1, { 'train/loss': 2.5, 'train/learning_rate': 1e-5 });
    file.append(1_700_000_002, 300, { 'train/loss': -0.1, 'Präzision → ✓': 1 });
    file.append(1_700_000_003, 5_000_000_000, { 'train/loss': NaN, wide: 3.4e38 });
    file.append(1_700_000_004, 0, { 'train/loss': Infinity });
    file.close();
    expect(basename(file.path)).toBe(basename(golden));
    expect(readFileSync(file.path).toString('hex')).toBe(readFileSync(golden).toString('hex'));
  });
});
