// Loads an experiment: defaults, then the file and what it extends, then `--set`, checked as a whole; and what follows it.
import { realpath } from 'node:fs/promises';
import { MemGenError } from '@memgen/common';
import { camelCaseKeys, type CamelCased } from './camel-case.js';
import { checkCombination } from './check-combination.js';
import { fillIn } from './fill-in.js';
import { readLayers } from './layers.js';
import { isGroup, memberOf, type KeyPath } from './nested-data.js';
import { divideOverrides, findNext, withoutForeignOverrides } from './next-experiment.js';
import { applyOverrides, findOverride, findOverrideBelow, parseOverride } from './overrides.js';
import { toConfigError } from './problems.js';
import { experimentSchema } from './schema.js';

/** Keys and nesting are those of the file; all defaults are filled in. */
export type ExperimentFile = ReturnType<typeof fillIn>;

/** An experiment as the code of the app uses it. */
export type Experiment = CamelCased<ExperimentFile>;

export interface LoadedExperiment {
  experiment: Experiment;
  /** The same with the keys of the file and all defaults: goes into manifest.json and can be loaded again. */
  resolved: ExperimentFile;
  /** The experiment that is run when this one has finished. */
  next?: LoadedExperiment;
}

export interface LoadExperimentOptions {
  /** Path of a YAML (or JSON) file. */
  file: string;
  /**
   * `key.key=value` each, the later ones win; `next.key=value` is for the experiment that follows, and seed, backend and
   * reasoner are for both. @default []
   */
  overrides?: readonly string[];
}

/**
 * Loads and checks an experiment and those that follow it.
 *
 * @throws MemGenError with code `config` (a wrong key or value: names file and line, or the option), `config-yaml`,
 * `config-override`, `config-extends`, `config-next`, or `file-not-found`.
 */
export function loadExperiment({ file, overrides = [] }: LoadExperimentOptions): Promise<LoadedExperiment> {
  return loadChain(file, overrides, []);
}

async function loadChain(
  file: string,
  overrides: readonly string[],
  before: readonly string[],
): Promise<LoadedExperiment> {
  const divided = divideOverrides(overrides);
  const all = divided.own.map(parseOverride);
  const source = await readLayers(file);
  const parsed = before.length === 0 ? all : withoutForeignOverrides(all, source.data);
  const locate = (path: KeyPath) => {
    const isInFile = path.reduce(memberOf, source.data) !== undefined;
    const override = findOverride(parsed, path) ?? (isInFile ? undefined : findOverrideBelow(parsed, path));
    return override === undefined ? source.locate(path) : `--set ${override.text}`;
  };
  const { next: nextName, ...data } = applyOverrides(source.data, parsed);
  const loaded = checkExperiment(data, locate);
  const chain = [...before, await realpath(file)];
  const next = await findNext(nextName, { file, where: locate(['next']), chain });
  if (next === undefined) {
    refuseUnusedOverrides(overrides);
    return loaded;
  }
  const following = isGroup(next)
    ? parseExperiment(applyOverrides(next, divided.next.map(parseOverride)), locate(['next']))
    : await loadChain(next, divided.next, chain);
  return { ...loaded, next: following };
}

/** What may be changed when a run is resumed: nothing that its training or the answers it has depend on. */
const changeableKeys = ['evaluation.arms', 'evaluation.batch_size', 'data.test_rows'];

/**
 * Checks the configuration that a manifest holds.
 *
 * @param where - named in errors, e.g. the path of the manifest.
 * @param overrides - `key.key=value` each; only what the training and given answers do not depend on.
 * @throws MemGenError as {@link loadExperiment}, and `config-override` for a setting that a resumed run must keep.
 */
export function parseExperiment(config: unknown, where: string, overrides: readonly string[] = []): LoadedExperiment {
  const parsed = overrides.map(parseOverride);
  for (const { path, text } of parsed) {
    const key = path.join('.');
    if (changeableKeys.includes(key)) continue;
    throw new MemGenError({
      code: 'config-override',
      where: `--set ${text}`,
      message: 'a resumed run keeps this setting, or it would not come to the same end',
      expected: changeableKeys.join(' or '),
      hint: 'start a new run for other settings',
    });
  }
  const given = isGroup(config) ? config : {};
  const { next, ...data } = parsed.length === 0 ? given : applyOverrides(given, parsed);
  const loaded = checkExperiment(data, (path) => {
    const override = findOverride(parsed, path);
    return override === undefined ? where : `--set ${override.text}`;
  });
  return isGroup(next) ? { ...loaded, next: parseExperiment(next, where) } : loaded;
}

/** The form that a manifest and a printed configuration have: what follows is in it. */
export function withNext({ resolved, next }: LoadedExperiment): Record<string, unknown> {
  return next === undefined ? { ...resolved } : { ...resolved, next: withNext(next) };
}

function checkExperiment(data: unknown, locate: (path: KeyPath) => string): LoadedExperiment {
  const given = withoutNulls(data);
  const result = experimentSchema.safeParse(given);
  if (!result.success) throw toConfigError(result.error.issues, { data: given, locate });
  checkCombination(result.data, locate);
  const resolved = fillIn(result.data);
  return { experiment: camelCaseKeys(resolved), resolved };
}

/** A setting for an experiment that does not follow would be lost in silence. */
function refuseUnusedOverrides(overrides: readonly string[]): void {
  const unused = overrides.find((text) => text.startsWith('next.'));
  if (unused === undefined) return;
  throw new MemGenError({
    code: 'config-override',
    where: `--set ${unused}`,
    message: 'there is no experiment after this one',
    expected: 'a configuration with "next"',
  });
}

/** No setting can be null: an empty group (`training:` with nothing below) or a `null` means "the default". */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutNulls(member)]));
}
