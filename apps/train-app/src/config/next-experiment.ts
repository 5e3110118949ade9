// `next`: the experiment that follows another, from its file and the settings that are passed on to it.
import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MemGenError } from '@memgen/common';
import { isGroup, memberOf } from './nested-data.js';
import type { Override } from './overrides.js';

/** More experiments in a row than anybody wants. */
const maxExperiments = 10;

/** What both must agree on: a memory is of use to the model, and of the shop, that it was trained for. */
const passedOn = ['seed', 'backend', 'reasoner', 'data.items'];

/** Settings of the command line, apart: for this experiment and for those after it. */
export interface DividedOverrides {
  own: readonly string[];
  /** In the form of the next one's own. */
  next: readonly string[];
}

/** `next.a.b=c` is the next one's `a.b=c`; seed, backend, reasoner and the shop's size are for all. */
export function divideOverrides(overrides: readonly string[]): DividedOverrides {
  const isForNext = (text: string) => text.startsWith('next.');
  const own = overrides.filter((text) => !isForNext(text));
  const shared = own.filter((text) => {
    const key = text.split('=', 1)[0]!.trim();
    return passedOn.some((name) => key === name || key.startsWith(`${name}.`));
  });
  const next = overrides.filter(isForNext).map((text) => text.slice('next.'.length));
  return { own, next: [...shared, ...next] };
}

/** The next one knows the size of a shop only if its task is about one. */
export function withoutForeignOverrides(overrides: readonly Override[], data: Record<string, unknown>): Override[] {
  const task = memberOf(memberOf(data, 'data'), 'task');
  const hasShop = typeof task === 'string' && task.startsWith('tiny-');
  return overrides.filter(({ path }) => hasShop || path.join('.') !== 'data.items');
}

export interface NextPlace {
  /** The file that names it. */
  file: string;
  /** Line of the file, or the option. */
  where: string;
  /** Files before it, the first one first; real paths. */
  chain: readonly string[];
}

/**
 * The file of the next experiment, or its settings where a printed configuration has them in place.
 * @throws MemGenError with code `config-next`.
 */
export async function findNext(
  next: unknown,
  { file, where, chain }: NextPlace,
): Promise<string | Record<string, unknown> | undefined> {
  if (next === undefined || next === null) return undefined;
  if (isGroup(next)) return next;
  if (typeof next !== 'string' || next === '') {
    throw nextError(where, '"next" names one other file', JSON.stringify(next), 'for example "tiny-shop-trigger.yaml"');
  }
  const path = resolve(dirname(file), next);
  const real = await realpath(path).catch(() => path);
  if (chain.includes(real) || chain.length >= maxExperiments) {
    throw nextError(where, 'the experiments follow one another without an end', next, 'a last one without "next"');
  }
  return path;
}

function nextError(where: string, message: string, got: string, expected: string): MemGenError {
  return new MemGenError({ code: 'config-next', where, message, got, expected });
}
