// Finding the package index and a wheel on it.
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findWheelUrl, indexOfConfiguration, pythonIndex } from './python-index.js';
import type { Wheel } from './wheels.js';

const wheel: Wheel = { project: 'tensorflow-cpu', file: 'tensorflow_cpu-1-cp311-linux.whl', size: 3, sha256: 'x' };

/** A package index that serves `page` for every project and records what was asked. */
function indexServing(
  page: string,
  status = 200,
): { fetch: typeof fetch; asked: { url: string; login: string | null }[] } {
  const asked: { url: string; login: string | null }[] = [];
  const answer: typeof fetch = (input, options) => {
    asked.push({ url: String(input as URL), login: new Headers(options?.headers).get('authorization') });
    return Promise.resolve(new Response(page, { status, statusText: status === 200 ? 'OK' : 'Not Found' }));
  };
  return { fetch: answer, asked };
}

describe('pythonIndex', () => {
  it('takes PIP_INDEX_URL, then the file named by PIP_CONFIG_FILE, then the one of the user', async () => {
    const home = await mkdtemp(join(tmpdir(), 'memgen-pip-'));
    await mkdir(join(home, '.config', 'pip'), { recursive: true });
    await writeFile(join(home, '.config', 'pip', 'pip.conf'), '[global]\nindex-url = https://user.example/simple/\n');
    await writeFile(join(home, 'named.conf'), '[global]\nindex_url: https://named.example/simple\n');
    const named = { PIP_CONFIG_FILE: join(home, 'named.conf') };
    await expect(pythonIndex({ environment: { ...named, PIP_INDEX_URL: 'https://own.example/' }, home })).resolves.toBe(
      'https://own.example',
    );
    await expect(pythonIndex({ environment: named, home })).resolves.toBe('https://named.example/simple');
    await expect(pythonIndex({ environment: {}, home })).resolves.toBe('https://user.example/simple');
  });

  it('reads index-url of the global section only', () => {
    expect(indexOfConfiguration('[install]\nindex-url = https://a\n[global]\ntimeout = 3\n')).toBeUndefined();
    expect(indexOfConfiguration('[global]\n# index-url = https://a\nindex-url=https://b\n')).toBe('https://b');
  });
});

describe('findWheelUrl', () => {
  it('finds the link of the file, relative or not', async () => {
    const page = `<a href="../../files/other.whl#sha256=1">other.whl</a>
      <a data-requires-python="&gt;=3.9" href="../../files/${wheel.file}?a=1&amp;b=2#sha256=2">${wheel.file}</a>`;
    const index = indexServing(page);
    await expect(findWheelUrl(wheel, { index: 'https://a.example/pypi/simple', fetch: index.fetch })).resolves.toBe(
      `https://a.example/pypi/files/${wheel.file}?a=1&b=2#sha256=2`,
    );
  });

  it('sends the login of the address as a header and never shows it', async () => {
    const index = indexServing('', 404);
    const search = findWheelUrl(wheel, { index: 'https://ann:s3cret@a.example/simple', fetch: index.fetch });
    const failure = await search.catch((error: unknown) => error);
    expect(index.asked).toEqual([
      {
        url: 'https://a.example/simple/tensorflow-cpu/',
        login: `Basic ${Buffer.from('ann:s3cret').toString('base64')}`,
      },
    ]);
    expect(failure).toMatchObject({ code: 'backend-download', got: 'the server answered 404 Not Found' });
    expect((failure as Error).message).not.toContain('s3cret');
  });

  it('says so when the index lacks the file or cannot be reached', async () => {
    const index = indexServing('<a href="x">x.whl</a>');
    await expect(findWheelUrl(wheel, { index: 'https://a.example', fetch: index.fetch })).rejects.toThrow(
      `the index does not list ${wheel.file}`,
    );
    await expect(findWheelUrl(wheel, { index: 'http://127.0.0.1:9' })).rejects.toMatchObject({
      code: 'backend-download',
      hint: expect.stringContaining('--from FILE'),
    });
  });
});
