// From the snake_case of files to the camelCase of TypeScript, in values and in types.

type CamelCase<KEY extends string> = KEY extends `${infer HEAD}_${infer TAIL}`
  ? `${HEAD}${Capitalize<CamelCase<TAIL>>}`
  : KEY;

/** `T` with every key in camelCase, through objects, arrays and tuples. */
export type CamelCased<T> = T extends readonly unknown[]
  ? { [INDEX in keyof T]: CamelCased<T[INDEX]> }
  : T extends object
    ? { [KEY in keyof T as KEY extends string ? CamelCase<KEY> : KEY]: CamelCased<T[KEY]> }
    : T;

/** A copy of plain JSON data with every key in camelCase; values are untouched. */
export function camelCaseKeys<T>(value: T): CamelCased<T> {
  return convert(value) as CamelCased<T>;
}

function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [camelCase(key), convert(member)]));
}

function camelCase(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
