// Items by a key, as Map.groupBy of later versions of Node.

/** Groups in the order of their first item. */
export function groupBy<T, KEY>(items: readonly T[], keyOf: (item: T) => KEY): Map<KEY, T[]> {
  const groups = new Map<KEY, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
