import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJsonLines, type JsonLinesLimits } from './read-json-lines.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-lines-'));
  path = join(folder, 'rows.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

async function read(content: string | Buffer, limits?: JsonLinesLimits): Promise<[number, unknown][]> {
  await writeFile(path, content);
  const lines: [number, unknown][] = [];
  for await (const { line, value } of readJsonLines(path, limits)) lines.push([line, value]);
  return lines;
}

describe('readJsonLines', () => {
  it('counts blank lines and takes every line ending', async () => {
    expect(await read('\ufeff{"a": 1}\r\n\n  \n"é"\n3')).toEqual([
      [1, { a: 1 }],
      [4, 'é'],
      [5, 3],
    ]);
    expect(await read('')).toEqual([]);
  });

  it('returns what was written, plain and gzipped', async () => {
    const values = [null, true, -1.5e300, '', ' \u2028"\\n', [[], {}], { '': { a: [1, 'é', null] }, __proto: 2 }];
    const plain = values.map((value) => JSON.stringify(value)).join('\n');
    const expected = values.map((value, i) => [i + 1, value]);
    expect(await read(plain)).toEqual(expected);
    expect(await read(gzipSync(plain))).toEqual(expected);
    // Two gzip members in one file are one text.
    expect(await read(Buffer.concat([gzipSync(plain), gzipSync('\n7')]))).toEqual([...expected, [8, 7]]);
  });

  it('joins lines that are longer than what is read at once', async () => {
    const long = 'é'.repeat(200_000);
    expect(await read(`1\n${JSON.stringify(long)}\n2`)).toEqual([
      [1, 1],
      [2, long],
      [3, 2],
    ]);
  });

  it('can be left before the end', async () => {
    await writeFile(path, gzipSync('1\n'.repeat(500_000)));
    for await (const { value } of readJsonLines(path)) {
      expect(value).toBe(1);
      break;
    }
  });

  it('keeps the limits, also against a file that grows when decompressed', async () => {
    await expect(read('"12345678"', { maximumLineBytes: 8 })).rejects.toMatchObject({ code: 'data-size', where: path });
    const bomb = gzipSync('1\n'.repeat(2 ** 20));
    expect(bomb.length).toBeLessThan(10_000);
    await expect(read(bomb, { maximumBytes: 2 ** 20 })).rejects.toMatchObject({ code: 'data-size', where: path });
  });

  it('says what is wrong and where', async () => {
    await expect(read('1\n{"a": }\n')).rejects.toMatchObject({ code: 'data-json', where: `${path}:2` });
    await expect(read(Buffer.from([0x31, 0x0a, 0xff]))).rejects.toMatchObject({
      code: 'data-encoding',
      where: `${path}:2`,
    });
    const compressed = gzipSync(JSON.stringify('x'.repeat(1000)));
    await expect(read(compressed.subarray(0, -12))).rejects.toMatchObject({ code: 'data-gzip', where: path });
    await expect(readJsonLines(join(folder, 'absent')).next()).rejects.toMatchObject({ code: 'file-not-found' });
  });
});
