// Which settings of several configurations are not the same.

/** A setting by its way from the top, e.g. `training.learning_rate`. */
export interface DifferingSetting {
  key: string;
  /** As JSON, one for each configuration; `undefined` where it has none. */
  values: (string | undefined)[];
}

/** Settings that differ, in the order of the first configuration that has them. Lists are settings as a whole. */
export function differingSettings(configurations: readonly object[]): DifferingSetting[] {
  const flat = configurations.map((configuration) => new Map(leaves(configuration, '')));
  const keys = new Set(flat.flatMap((settings) => [...settings.keys()]));
  return [...keys]
    .map((key) => ({ key, values: flat.map((settings) => settings.get(key)) }))
    .filter(({ values }) => new Set(values).size > 1);
}

function leaves(value: object, prefix: string): [string, string][] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]): [string, string][] => {
    const isGroup = typeof member === 'object' && member !== null && !Array.isArray(member);
    if (isGroup) return leaves(member, `${prefix}${key}.`);
    return member === undefined ? [] : [[`${prefix}${key}`, JSON.stringify(member)]];
  });
}
