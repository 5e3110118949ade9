// Settings as nested plain data, and ways through them.

/** From the top to a setting: keys, and places in lists. */
export type KeyPath = readonly (string | number)[];

/** The member of a value at a key, `undefined` where there is none. */
export function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}

/** A copy of `data` with `value` at `path`; groups that are not there yet are made. */
export function setAt(data: unknown, path: readonly string[], value: unknown): Record<string, unknown> {
  const [key, ...rest] = path;
  const group = isGroup(data) ? data : {};
  if (key === undefined) return group;
  return {
    ...group,
    [key]: rest.length === 0 ? value : setAt(Object.hasOwn(group, key) ? group[key] : {}, rest, value),
  };
}

/** Whether a value is a set of keys, as a YAML group is. */
export function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
