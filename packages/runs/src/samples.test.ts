import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFolder } from '@memgen/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunFolder, type SessionFacts } from './run-folder.js';
import { readSamples, sampleMarkdown } from './samples.js';

const session: SessionFacts = { command: ['test'], backend: { name: 'wasm' }, packages: {} };
const manifest = { name: 'test', seed: 1, config: {}, models: [], data: [], session };
const clock = () => 1_700_000_000_000;

describe('samples', () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'memgen-samples-'));
  });
  afterEach(() => {
    rmSync(parent, { recursive: true });
  });

  it('are kept with what they earned, and cut to the checkpoint when the run is resumed', async () => {
    const path = join(parent, 'run');
    const run = await RunFolder.create(path, { clock, manifest });
    run.appendSamples(1, []);
    expect(existsSync(join(path, 'samples.jsonl'))).toBe(false);
    const failed = { prompt: 'p', completion: 'b', reward: NaN };
    run.appendSamples(1, [
      { prompt: 'p', completion: 'a', reward: 1, rewards: { exact: 1 }, woven: 2, decisions: 3 },
      failed,
    ]);
    await replaceFolder(run.checkpointPath(1), () => Promise.resolve());
    run.appendSamples(2, [{ prompt: 'p', completion: 'c', reward: 0 }]);
    await run.close('interrupted');
    // A crash tears the last line.
    appendFileSync(join(path, 'samples.jsonl'), '{"step":3,"pro');

    const resumed = await RunFolder.resume(path, { clock, session });
    resumed.appendSamples(2, [{ prompt: 'p', completion: 'd', reward: 0.5 }]);
    await resumed.close('finished');
    expect(readSamples(path)).toEqual([
      { step: 1, prompt: 'p', completion: 'a', reward: 1, rewards: { exact: 1 }, woven: 2, decisions: 3 },
      { step: 1, prompt: 'p', completion: 'b', reward: null },
      { step: 2, prompt: 'p', completion: 'd', reward: 0.5 },
    ]);
    expect(readSamples(join(parent, 'none'))).toEqual([]);
  });

  it('are shown to TensorBoard word by word, and cut where they have no end', () => {
    const text = sampleMarkdown({ step: 1, prompt: '# a\n<b>', completion: 'x'.repeat(5000), reward: null, woven: 0 });
    expect(text).toContain('reward none, latents at 0 places\n\nprompt\n\n    # a\n    <b>\n\ncompletion\n\n    xxx');
    expect(text).toHaveLength(text.indexOf('xxx') + 4001);
  });
});
