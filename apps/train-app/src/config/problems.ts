// Turns the findings of the schema check into one error that says where, what was got, what belongs there.
import { MemGenError, type MemGenErrorDetails } from '@memgen/common';
import type { z } from 'zod';
import { memberOf, type KeyPath } from './nested-data.js';
import { referenceKeys } from './reference-keys.js';
import { allKeys, describeExpectation, experimentJsonSchema, schemaAt, type JsonSchema } from './schema-guide.js';
import { suggest } from './suggestion.js';

type Problem = Omit<MemGenErrorDetails, 'code'>;

export interface ProblemContext {
  /** The data that was checked. */
  data: unknown;
  /** Where a key was set: a line of the file or an option of the command line. */
  locate: (path: KeyPath) => string;
}

/** One error for all issues: the first in full, the others in a line each. Wrong keys come before wrong values. */
export function toConfigError(issues: readonly z.core.$ZodIssue[], context: ProblemContext): MemGenError {
  const root = experimentJsonSchema();
  const isKey = ({ code }: z.core.$ZodIssue): boolean => code === 'unrecognized_keys';
  const ordered = [...issues.filter(isKey), ...issues.filter((issue) => !isKey(issue))];
  const [first, ...others] = ordered.flatMap((issue) => describeIssue(issue, root, context));
  const more = others.map(({ where, message, hint, expected }) => {
    return `\n    ${where ?? ''}: ${message} (${hint ?? `expected ${expected ?? 'something else'}`})`;
  });
  const alsoWrong = more.length === 0 ? undefined : `also correct:${more.join('')}`;
  const hints = [first?.hint, alsoWrong].filter((hint) => hint !== undefined);
  return new MemGenError({
    code: 'config',
    message: 'the configuration is not valid',
    ...first,
    hint: hints.length === 0 ? undefined : hints.join(' - '),
  });
}

function describeIssue(issue: z.core.$ZodIssue, root: JsonSchema, { data, locate }: ProblemContext): Problem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(root, data, path, key, locate([...path, key])));
  }
  const value = path.reduce(memberOf, data);
  const schema = schemaAt(root, data, path);
  const where = locate(path);
  const name = path.join('.');
  const expected = schema === undefined ? issue.message : expectation(schema, issue);
  if (value === undefined) return [{ where, message: `"${name}" is missing`, expected }];
  const choices = (schema?.enum ?? []).filter((choice) => typeof choice === 'string');
  const suggestion = typeof value === 'string' ? suggest(value, choices) : undefined;
  return [
    {
      where,
      message: `"${name}" has a value that it cannot have`,
      got: describeValue(value),
      expected,
      hint: suggestion === undefined ? undefined : `did you mean "${suggestion}"?`,
    },
  ];
}

/** A pattern says what it wants in the message of its rule. */
function expectation(schema: JsonSchema, issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_format' ? issue.message : describeExpectation(schema);
}

function unknownKey(root: JsonSchema, data: unknown, path: KeyPath, key: string, where: string): Problem {
  const siblings = Object.keys(schemaAt(root, data, path)?.properties ?? {});
  const near = suggest(key, [...siblings, ...otherNames(path)]);
  // A known key in the wrong group is as common a slip as a wrong letter.
  const elsewhere = [...allKeys(root), ...referenceKeys.keys()].find((known) => known.split('.').at(-1) === key);
  const suggestion = near ?? elsewhere;
  return {
    where,
    message: path.length === 0 ? `unknown key "${key}"` : `unknown key "${key}" in "${path.join('.')}"`,
    expected: `one of: ${siblings.join(', ')}`,
    hint: suggestion === undefined ? undefined : `did you mean "${suggestion}"?`,
  };
}

/** Keys of the reference implementation that a group takes too. */
function otherNames(path: KeyPath): string[] {
  const start = `${path.join('.')}.`;
  const names = [...referenceKeys.keys()].filter((known) => known.startsWith(start));
  return names.map((known) => known.slice(start.length)).filter((name) => !name.includes('.'));
}

function describeValue(value: unknown): string {
  const text = JSON.stringify(value);
  const short = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  if (typeof value === 'string') return `the text ${short}`;
  if (Array.isArray(value)) return `the list ${short}`;
  return typeof value === 'object' ? `the group ${short}` : short;
}
