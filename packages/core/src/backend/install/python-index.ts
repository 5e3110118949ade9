// Finds the address of a wheel on the Python package index that this machine is set up to use.
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import type { Wheel } from './wheels.js';

const defaultIndex = 'https://pypi.org/simple';

/** The index named by `PIP_INDEX_URL` or by pip's configuration files, else PyPI. */
export async function pythonIndex({
  environment = process.env,
  home = homedir(),
}: { environment?: NodeJS.ProcessEnv; home?: string } = {}): Promise<string> {
  const named = environment['PIP_INDEX_URL'];
  if (named !== undefined && named !== '') return named.replace(/\/+$/, '');
  const files = [
    environment['PIP_CONFIG_FILE'],
    join(environment['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'pip', 'pip.conf'),
    join(home, 'Library', 'Application Support', 'pip', 'pip.conf'),
    join(home, '.pip', 'pip.conf'),
    '/etc/pip.conf',
  ];
  for (const file of files) {
    if (file === undefined || file === '') continue;
    const index = indexOfConfiguration(await readFile(file, 'utf8').catch(() => ''));
    if (index !== undefined) return index.replace(/\/+$/, '');
  }
  return defaultIndex;
}

/** The `index-url` of the `[global]` section of a pip.conf, if it has one. */
export function indexOfConfiguration(text: string): string | undefined {
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    section = /^\[(.*)\]\s*$/.exec(line)?.[1] ?? section;
    const value = /^index[-_]url\s*[=:]\s*(\S+)/.exec(line)?.[1];
    if (section === 'global' && value !== undefined) return value;
  }
  return undefined;
}

/**
 * The address of `wheel` on the index, by the HTML form of PEP 503, which every index serves. Throws `MemGenError`
 * (`backend-download`) when the index cannot be reached or does not list the file.
 */
export async function findWheelUrl(
  wheel: Wheel,
  { index, fetch = globalThis.fetch }: { index: string; fetch?: typeof globalThis.fetch },
): Promise<string> {
  const { page, login } = withoutLogin(`${index}/${wheel.project}/`);
  const where = page.href;
  let text: string;
  try {
    const response = await fetch(page, { headers: { accept: 'text/html', ...login } });
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    text = await response.text();
  } catch (cause) {
    throw new MemGenError({
      code: 'backend-download',
      where,
      message: 'the Python package index cannot be read',
      got: reason(cause),
      hint: `set PIP_INDEX_URL to an index you can reach, or download ${wheel.file} elsewhere and pass --from FILE`,
      cause,
    });
  }
  for (const [, attributes = '', name = ''] of text.matchAll(/<a\s([^>]*)>([^<]*)<\/a>/g)) {
    const link = /href\s*=\s*"([^"]*)"/.exec(attributes)?.[1];
    if (name.trim() === wheel.file && link !== undefined) return new URL(link.replaceAll('&amp;', '&'), page).href;
  }
  throw new MemGenError({
    code: 'backend-download',
    where,
    message: `the index does not list ${wheel.file}`,
    hint: 'set PIP_INDEX_URL to a full mirror of PyPI, or download the file elsewhere and pass --from FILE',
  });
}

/** Splits `https://user:password@host/` into an address to show and a header to send. */
function withoutLogin(address: string): { page: URL; login: Record<string, string> } {
  const page = new URL(address);
  const { username, password } = page;
  page.username = page.password = '';
  if (username === '') return { page, login: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { page, login: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

/** What a failed fetch has to say; its own message is only "fetch failed". */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
