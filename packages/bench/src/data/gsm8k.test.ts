import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scoreMath } from '../scoring/index.js';
import { loadGsm8k, readGsm8kFile } from './gsm8k.js';

const sample = join(import.meta.dirname, '__fixtures__/gsm8k');

describe('loadGsm8k', () => {
  it("writes prompt and completion in the reference's words", async () => {
    const { train } = await loadGsm8k({ source: sample, validationRatio: 0, seed: 1 });
    expect(train[1]).toEqual({
      id: 'gsm8k/train/2',
      family: 'gsm8k',
      messages: [
        {
          role: 'user',
          content:
            'Solve the math problem with proper reasoning, and make sure to put the FINAL ANSWER inside \\boxed{}.' +
            'Question: Ida has 3 boxes of 400 nails and finds 50 more. How many nails does she have?\n',
        },
      ],
      completion:
        'The boxes hold 3*400 = <<3*400=1200>>1200 nails.\n' +
        'With the others she has 1200+50 = <<1200+50=1250>>1250 nails.\\boxed{1,250}',
      solution:
        'The boxes hold 3*400 = <<3*400=1200>>1200 nails.\n' +
        'With the others she has 1200+50 = <<1200+50=1250>>1250 nails.\\boxed{1,250}',
    });
    // Line 4 is blank; ids follow the lines of the file.
    expect(train.map(({ id }) => id.split('/')[2])).toEqual(['1', '2', '3', '5', '6']);
  });

  it('divides the training rows by the seed alone', async () => {
    const load = async (seed: number) => {
      const { train, validation } = await loadGsm8k({ source: sample, validationRatio: 0.4, seed });
      expect([train.length, validation.length]).toEqual([3, 2]);
      expect(new Set([...train, ...validation].map(({ id }) => id)).size).toBe(5);
      return validation.map(({ id }) => id).join();
    };
    expect(await load(3)).toBe(await load(3));
    const draws = new Set(await Promise.all([1, 2, 3, 4, 5, 6].map(load)));
    expect(draws.size).toBeGreaterThan(1);
  });

  it('reads a folder from the environment, and a single file', async () => {
    const fromEnvironment = await loadGsm8k({ seed: 1, environment: { MEMGEN_DATA: sample } });
    expect(fromEnvironment.test.map(({ id }) => id)).toEqual(['gsm8k/test/1', 'gsm8k/test/2']);
    expect(fromEnvironment.files).toEqual([join(sample, 'train.jsonl'), join(sample, 'test.jsonl')]);
    const single = await loadGsm8k({ source: join(sample, 'test.jsonl'), validationRatio: 0.5, seed: 1 });
    expect([single.train.length, single.validation.length, single.test.length]).toEqual([1, 1, 0]);
  });

  it('says where it looked', async () => {
    await expect(loadGsm8k({ seed: 1, environment: {} })).rejects.toThrow(/MEMGEN_DATA/);
    await expect(loadGsm8k({ seed: 1, source: join(sample, 'nowhere') })).rejects.toMatchObject({
      code: 'file-not-found',
      where: join(sample, 'nowhere'),
    });
    await expect(loadGsm8k({ seed: 1, source: import.meta.dirname })).rejects.toMatchObject({
      code: 'data-missing',
      expected: 'gsm8k_train.jsonl or gsm8k_train.jsonl.gz or train.jsonl or train.jsonl.gz',
    });
  });

  it('refuses an impossible division', async () => {
    await expect(loadGsm8k({ source: sample, seed: 1, validationRatio: 1 })).rejects.toThrow(/share of validation/);
    await expect(loadGsm8k({ source: sample, seed: 1, validationRatio: 0.9 })).rejects.toThrow(/left for training/);
  });
});

describe('readGsm8kFile', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memgen-gsm8k-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const good = '{"question": "q", "answer": "a\\n#### 1"}';
  it.each([
    ['no answer', '{"question": "q"}', 'data-row', /no usable "answer"/],
    ['a number for a question', '{"question": 5, "answer": "a\\n#### 1"}', 'data-row', /no usable "question"/],
    ['an empty question', '{"question": " ", "answer": "a\\n#### 1"}', 'data-row', /not empty/],
    ['no final answer', '{"question": "q", "answer": "It is 5."}', 'data-answer', /no final answer/],
    ['an empty final answer', '{"question": "q", "answer": "a\\n#### "}', 'data-answer', /no final answer/],
    ['a list', '[1]', 'data-row', /not of the expected form/],
    ['broken JSON', '{"question": ', 'data-json', /not valid JSON/],
  ])('refuses a row with %s and names its line', async (_, row, code, message) => {
    const path = join(folder, 'rows.jsonl');
    await writeFile(path, `${good}\n\n${row}\n${good}\n`);
    await expect(readGsm8kFile(path, 'x')).rejects.toMatchObject({
      code,
      where: `${path}:3`,
      message: expect.stringMatching(message),
    });
  });

  it('refuses a file without rows', async () => {
    const path = join(folder, 'rows.jsonl');
    await writeFile(path, '\n\n');
    await expect(readGsm8kFile(path, 'x')).rejects.toMatchObject({ code: 'data-empty', where: path });
  });
});

const shared = process.env.MEMGEN_SHARED ?? resolve(import.meta.dirname, '../../../../../shared');
const published = join(shared, 'data');

describe.skipIf(!existsSync(join(published, 'gsm8k_train.jsonl.gz')))(
  'the published GSM8K (skipped where the files are absent)',
  () => {
    it('loads whole', async () => {
      const { train, validation, test } = await loadGsm8k({ source: published, seed: 42 });
      expect([train.length, validation.length, test.length]).toEqual([6725, 748, 1319]);
      const rows = [...train, ...validation, ...test];
      expect(rows.every(({ messages }) => messages[0]?.content.includes('\\boxed{}.Question: '))).toBe(true);
      expect(rows.every(({ completion, solution }) => scoreMath(completion, solution).reference)).toBe(true);
      // Final answers with thousands separators, counted independently of this code: 79 and 14.
      const separated = rows.filter(({ completion }) => /\\boxed\{-?\d{1,3}(,\d{3})+\}$/.test(completion));
      expect(separated.length).toBe(93);
      expect(rows.find(({ id }) => id === 'gsm8k/test/1')?.completion).toMatch(
        / at the farmer’s market\.\\boxed\{18\}$/,
      );
    });
  },
);
