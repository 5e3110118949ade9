import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadKodCode, readKodCodeFile } from '../data/kodcode.js';
import { PythonSandbox } from '../sandbox/python-sandbox.js';
import { kodCodeReward, modulesBeyondSandbox } from './kodcode-reward.js';

const own = join(import.meta.dirname, '../data/__fixtures__/kodcode');
const shared = join(process.env['MEMGEN_SHARED'] ?? resolve(import.meta.dirname, '../../../../../shared'), 'data');
const hasRealData = existsSync(join(shared, 'kodcode_algorithm_31.json.gz'));

let sandbox: PythonSandbox;
beforeAll(async () => {
  // Of native Python's 5 seconds, with room for a machine that has other things to do.
  sandbox = await PythonSandbox.open({ timeLimit: 60_000 });
});
afterAll(() => sandbox.close());

describe('loadKodCode', () => {
  it("writes prompt and completion in the reference's words", async () => {
    const [row, , counter] = await readKodCodeFile(join(own, 'kodcode_own.json'));
    expect(row).toMatchObject({
      id: 'kodcode/Own_00000001_I',
      messages: [
        {
          role: 'user',
          content:
            'Write an efficient and correct Python function to solve the following problem.' +
            'Question: Write a function that adds one to every number of a list.\n',
        },
      ],
      completion: 'def add_one(numbers):\n    return [number + 1 for number in numbers]',
      functionName: 'add_one',
    });
    expect(counter).toMatchObject({ functionName: undefined, tests: expect.stringContaining('def test_up') });
  });

  it('keeps the forms of a problem on one side', async () => {
    const shares = { train: 0.34, validation: 0.33, test: 0.33 };
    for (const seed of [1, 2, 3, 4]) {
      const { train, validation, test } = await loadKodCode({ source: own, seed, shares });
      expect(train.length + validation.length + test.length).toBe(4);
      const sides = [train, validation, test].filter((rows) => rows.some(({ id }) => id.includes('Own_00000001')));
      expect(sides).toHaveLength(1);
    }
    await expect(loadKodCode({ source: own, seed: 1, shares: { ...shares, test: 0.5 } })).rejects.toMatchObject({
      code: 'data-split',
    });
  });
});

describe('kodCodeReward', () => {
  it('scores completions by the tests of their rows', async () => {
    const [row, , counter, mean] = await readKodCodeFile(join(own, 'kodcode_own.json'));
    const right = 'Like this:\n```python\ndef plus_one(xs):\n    return [x + 1 for x in xs]\n```\nDone.';
    const samples = [
      { row: row!, completion: right },
      { row: row!, completion: right.replace('x + 1 for', 'x for') },
      { row: row!, completion: 'I do not know.' },
      { row: counter!, completion: counter!.solution },
      { row: mean!, completion: mean!.solution },
    ];
    const whole = await kodCodeReward({ sandbox }).score(samples);
    expect(whole.map(({ value }) => value)).toEqual([1, 0, 0, 1, NaN]);
    expect(whole[1]?.reason).toMatch(/^1 of 3 tests failed, first test_some: AssertionError/);
    expect(whole[2]?.reason).toMatch(/SyntaxError/);
    expect(whole[4]?.reason).toMatch(/numpy/);
    const shares = await kodCodeReward({ sandbox, preset: 'share', keep: 'functions' }).score(samples);
    // Problems about classes cannot be solved with functions only.
    expect(shares.map(({ value }) => value)).toEqual([1, 2 / 3, 0, 0, NaN]);
  });

  const title = "gives the verdicts of CPython with pytest on 203 real rows' own solutions";
  it.skipIf(!hasRealData)(`${title}${hasRealData ? '' : ' (skipped: the data are not there)'}`, async () => {
    const rows = [
      ...(await readKodCodeFile(join(shared, 'kodcode_prefill_172.json.gz'))),
      ...(await readKodCodeFile(join(shared, 'kodcode_algorithm_31.json.gz'))),
    ];
    expect(rows).toHaveLength(203);
    expect(rows.filter(({ tests }) => tests.includes('import pytest'))).toHaveLength(40);
    const beyond = rows.filter((row) => modulesBeyondSandbox(row).length > 0);
    expect(beyond.map((row) => `${row.id} ${modulesBeyondSandbox(row).join()}`)).toEqual([
      'kodcode/Algorithm_00000068_I numpy,scipy',
      'kodcode/Algorithm_00000068_C numpy,scipy',
    ]);
    const rewards = await kodCodeReward({ sandbox }).score(rows.map((row) => ({ row, completion: row.solution })));
    const failed = rows.filter((_, i) => rewards[i]!.value !== 1).map(({ id }) => id);
    expect(failed).toEqual([
      'kodcode/Prefill_00000003_I',
      'kodcode/Prefill_00000003_C',
      'kodcode/Algorithm_00000068_I',
      'kodcode/Algorithm_00000068_C',
    ]);
  });
});
