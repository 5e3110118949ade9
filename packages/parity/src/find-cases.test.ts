import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCases, matchesPattern } from './find-cases.js';

let root: string;
const folders = [
  'models/tiny',
  'a_models/two',
  'a_models/one',
  'c_memgen/x/augment',
  'c_memgen/x/conv_b2',
  'c_memgen/x/something_new',
  'h_dtypes',
  'g_tokenizers/t',
  'z_later/case',
];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'memgen-parity-'));
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, 'g_tokenizers/t.json'), '{}');
  await writeFile(join(root, 'c_memgen/x/layout.json'), '{}');
  await writeFile(join(root, 'README.md'), '');
});
afterAll(() => rm(root, { recursive: true }));

async function names(part: string, only?: string[]): Promise<string[]> {
  const found = await findCases(join(root, part), only);
  expect(found.root).toBe(root);
  return found.cases.map(({ name }) => name);
}

describe('findCases', () => {
  it('finds every case of a layout, also of groups it does not know', async () => {
    expect(await names('')).toEqual([
      'a_models/one',
      'a_models/two',
      'c_memgen/x/augment',
      'c_memgen/x/conv_b2',
      'c_memgen/x/something_new',
      'g_tokenizers/t',
      'h_dtypes',
      'z_later',
    ]);
  });

  it('says of what it cannot check why', async () => {
    const { cases } = await findCases(root);
    const reasons = cases.flatMap(({ name, kind }) => ('unsupported' in kind ? [[name, kind.unsupported]] : []));
    expect(reasons).toEqual([
      ['c_memgen/x/something_new', 'this kind of case is not known'],
      ['z_later', 'this group is not known'],
    ]);
  });

  it.each([
    ['a_models', ['a_models/one', 'a_models/two']],
    ['a_models/one', ['a_models/one']],
    ['c_memgen/x', ['c_memgen/x/augment', 'c_memgen/x/conv_b2', 'c_memgen/x/something_new']],
    ['c_memgen/x/augment', ['c_memgen/x/augment']],
    ['g_tokenizers/t', ['g_tokenizers/t']],
    ['g_tokenizers/t.json', ['g_tokenizers/t']],
    ['h_dtypes', ['h_dtypes']],
  ])('takes the part %s of a layout', async (part, expected) => {
    expect(await names(part)).toEqual(expected);
  });

  it('chooses by patterns', async () => {
    expect(await names('', ['h', 'a_models/o*'])).toEqual(['a_models/one', 'h_dtypes']);
    expect(await names('a_models', ['a_models/two'])).toEqual(['a_models/two']);
  });

  it('refuses a folder without cases, and one that is not there', async () => {
    await expect(findCases(join(root, 'models'))).rejects.toMatchObject({ code: 'parity-layout' });
    await expect(findCases(root, ['b'])).rejects.toMatchObject({ code: 'parity-layout', got: 'nothing that fits b' });
    await expect(findCases(join(root, 'nowhere'))).rejects.toMatchObject({ code: 'file-not-found' });
  });
});

describe('matchesPattern', () => {
  it.each([
    ['a', 'a_models/one', true],
    ['a', 'b_lora/a', false],
    ['a_models', 'a_models/one', true],
    ['a_models/', 'a_models/one', true],
    ['a_mod', 'a_models/one', false],
    ['a_models/one', 'a_models/one', true],
    ['a_models/on', 'a_models/one', false],
    ['*/augment', 'c_memgen/x/augment', false],
    ['*/*/augment', 'c_memgen/x/augment', true],
    ['**/augment', 'c_memgen/x/augment', true],
    ['c_memgen/*/inst*', 'c_memgen/x/instruct_b1', true],
    ['a.models', 'a_models', false],
    ['llama+x', 'llama+x', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matchesPattern(name, pattern)).toBe(expected);
  });
});
