// Reads the JSON Schema of the experiment file to say which keys a place has and what it expects, in plain words.
import { z } from 'zod';
import { memberOf, type KeyPath } from './nested-data.js';
import { referenceKeys } from './reference-keys.js';
import { experimentSchema } from './schema.js';

/** The few members of JSON Schema that the experiment schema makes use of. */
export interface JsonSchema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  oneOf?: JsonSchema[];
  items?: JsonSchema | false;
  prefixItems?: JsonSchema[];
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
  description?: string;
}

/** JSON Schema (draft 2020-12) of the file as a person writes it: keys with a default may be left out. */
export function experimentJsonSchema(): JsonSchema & Record<string, unknown> {
  return z.toJSONSchema(experimentSchema, { io: 'input' }) as JsonSchema & Record<string, unknown>;
}

/**
 * The same for editors: with the other names of settings (see `referenceKeys`), and name and data may be left to the file
 * that is extended. Goes into configs/experiment.schema.json.
 */
export function editorJsonSchema(): JsonSchema & Record<string, unknown> {
  const { required, ...root } = experimentJsonSchema();
  for (const [given, own] of referenceKeys) {
    const group = given.split('.').slice(0, -1).reduce(propertyOf, root);
    const schema = own.split('.').reduce(propertyOf, root);
    const name = given.split('.').at(-1)!;
    // The default is that of our name: an editor must not fill in both.
    const other = { ...schema, default: undefined, description: `Another name of ${own}.` };
    group.properties = { ...group.properties, [name]: other };
  }
  return { ...root, anyOf: [{ required }, { required: ['extends'] }] };
}

function propertyOf(schema: JsonSchema, key: string): JsonSchema {
  return schema.properties![key]!;
}

/** The schema of the value at `path`; where there are alternatives, the one that `data` has chosen. */
export function schemaAt(root: JsonSchema, data: unknown, path: KeyPath): JsonSchema | undefined {
  let schema: JsonSchema | undefined = chooseAlternative(root, data);
  let value = data;
  for (const key of path) {
    value = memberOf(value, key);
    const next: JsonSchema | false | undefined =
      typeof key === 'number' ? (schema.prefixItems?.[key] ?? schema.items) : schema.properties?.[key];
    if (next === undefined || next === false) return undefined;
    schema = chooseAlternative(next, value);
  }
  return schema;
}

/** Every key of the file with its way from the top, e.g. `training.learning_rate`. */
export function allKeys(schema: JsonSchema, prefix = ''): string[] {
  const here = Object.entries(schema.properties ?? {}).flatMap(([key, member]) => [
    `${prefix}${key}`,
    ...allKeys(member, `${prefix}${key}.`),
  ]);
  return [...new Set([...here, ...(schema.oneOf ?? []).flatMap((alternative) => allKeys(alternative, prefix))])];
}

/** What belongs at a place, e.g. `a whole number from 1 on`. */
export function describeExpectation(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.properties !== undefined) return `a group of settings: ${Object.keys(schema.properties).join(', ')}`;
  switch (schema.type) {
    case 'integer':
      return `a whole number${describeRange(schema)}`;
    case 'number':
      return `a number${describeRange(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return describeList(schema);
    default:
      return 'a text';
  }
}

function describeRange({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema): string {
  const lower =
    exclusiveMinimum === undefined ? (minimum === undefined ? '' : ` from ${minimum}`) : ` above ${exclusiveMinimum}`;
  // Zod writes the largest exact integer where no limit was asked for.
  const upper =
    exclusiveMaximum !== undefined
      ? ` below ${exclusiveMaximum}`
      : maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
        ? ''
        : ` to ${maximum}`;
  return lower.startsWith(' from') && upper === '' ? `${lower} on` : lower + upper;
}

function describeList({ items, prefixItems, minItems }: JsonSchema): string {
  if (prefixItems !== undefined)
    return `a list of ${prefixItems.length}: ${prefixItems.map(describeExpectation).join(', ')}`;
  const of = items === undefined || items === false ? '' : ` of ${describeExpectation(items)}`;
  return `a list${of}${minItems === undefined ? '' : `, at least ${minItems}`}`;
}

function chooseAlternative(schema: JsonSchema, value: unknown): JsonSchema {
  const alternatives = schema.oneOf;
  if (alternatives === undefined) return schema;
  const chosen = alternatives.find((alternative) =>
    Object.entries(alternative.properties ?? {}).some(
      ([key, member]) => member.const !== undefined && memberOf(value, key) === member.const,
    ),
  );
  // Nothing chosen yet: what all have in common is the key that chooses, with all its values.
  return chosen ?? { properties: choosingKeys(alternatives) };
}

function choosingKeys(alternatives: readonly JsonSchema[]): Record<string, JsonSchema> {
  const choices: Record<string, { enum: unknown[] }> = {};
  for (const alternative of alternatives) {
    for (const [key, member] of Object.entries(alternative.properties ?? {})) {
      if (member.const !== undefined) (choices[key] ??= { enum: [] }).enum.push(member.const);
    }
  }
  return choices;
}
