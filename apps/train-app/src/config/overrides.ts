// `--set a.b=c` on the command line: single settings that win over the file.
import { MemGenError } from '@memgen/common';
import { parseDocument } from 'yaml';
import { isGroup, memberOf, setAt, type KeyPath } from './nested-data.js';
import { ownPath, withOwnNames } from './reference-keys.js';

export interface Override {
  /** In our names of settings. */
  path: readonly string[];
  value: unknown;
  /** As typed, for messages. */
  text: string;
}

/**
 * Parses `key.key=value`. The value is YAML: `5`, `true`, `[0.9, 0.98]`, `{task: gsm8k}`; `null` takes a setting of the
 * file back, so that its default holds.
 *
 * @throws MemGenError with code `config-override`.
 */
export function parseOverride(text: string): Override {
  const [, keys, valueText] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  const path = (keys ?? '').trim().split('.');
  if (keys === undefined || valueText === undefined || !path.every((key) => /^[a-z][a-z0-9_]*$/.test(key))) {
    throw overrideError(text, 'this does not set a key', 'key.key=value, for example training.learning_rate=1e-4');
  }
  const document = parseDocument(valueText, { prettyErrors: false });
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw overrideError(
      text,
      `the value is not YAML: ${problem.message}`,
      'a number, a text in quotes, [a, b] or {a: b}',
    );
  }
  if (path[0] === 'extends') throw overrideError(text, 'only a file can extend another', 'a setting of the experiment');
  return ownNames({ path, value: document.toJS() as unknown, text });
}

/** A copy of `data` with the overrides put in, first to last; groups that are not there yet are made. */
export function applyOverrides(data: Record<string, unknown>, overrides: readonly Override[]): Record<string, unknown> {
  return overrides.reduce((result, { path, value }) => setAt(result, path, value), data);
}

/** The override that decided the value at `path` (or a part of it), the last one if there are several. */
export function findOverride(overrides: readonly Override[], path: KeyPath): Override | undefined {
  return overrides.findLast((override) => override.path.every((key, i) => path[i] === key));
}

/** The last override that put something below `path`, e.g. the group itself when the file has none. */
export function findOverrideBelow(overrides: readonly Override[], path: KeyPath): Override | undefined {
  return overrides.findLast((override) => path.every((key, i) => override.path[i] === key));
}

/** The value may be a group with other names of settings in it. */
function ownNames({ path, value, text }: Override): Override {
  const own = ownPath(path);
  if (!isGroup(value)) return { path: own, value, text };
  const { data } = withOwnNames(setAt({}, path, value), () => `--set ${text}`);
  return { path: own, value: own.reduce<unknown>(memberOf, data), text };
}

function overrideError(text: string, message: string, expected: string): MemGenError {
  return new MemGenError({ code: 'config-override', where: `--set ${text}`, message, expected });
}
