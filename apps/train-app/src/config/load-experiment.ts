// Loads an experiment: defaults, then the file and what it extends, then `--set`, checked as a whole.
import { MemGenError } from '@memgen/common';
import { camelCaseKeys, type CamelCased } from './camel-case.js';
import { readLayers } from './layers.js';
import { applyOverrides, findOverride, findOverrideBelow, parseOverride } from './overrides.js';
import { toConfigError } from './problems.js';
import { memberOf, type KeyPath } from './nested-data.js';
import { experimentSchema, type ExperimentFile } from './schema.js';

/** An experiment as the code of the app uses it. */
export type Experiment = CamelCased<ExperimentFile>;

export interface LoadedExperiment {
  experiment: Experiment;
  /** The same with the keys of the file and all defaults: goes into manifest.json and can be loaded again. */
  resolved: ExperimentFile;
}

export interface LoadExperimentOptions {
  /** Path of a YAML (or JSON) file. */
  file: string;
  /** `key.key=value` each, the later ones win. @default [] */
  overrides?: readonly string[];
}

/**
 * Loads and checks an experiment.
 *
 * @throws MemGenError with code `config` (a wrong key or value: names file and line, or the option), `config-yaml`,
 * `config-override`, `config-extends`, or `file-not-found`.
 */
export async function loadExperiment({ file, overrides = [] }: LoadExperimentOptions): Promise<LoadedExperiment> {
  const parsed = overrides.map(parseOverride);
  const source = await readLayers(file);
  return checkExperiment(applyOverrides(source.data, parsed), (path) => {
    const isInFile = path.reduce(memberOf, source.data) !== undefined;
    const override = findOverride(parsed, path) ?? (isInFile ? undefined : findOverrideBelow(parsed, path));
    return override === undefined ? source.locate(path) : `--set ${override.text}`;
  });
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
  const changed = parsed.length === 0 ? config : applyOverrides(config as Record<string, unknown>, parsed);
  return checkExperiment(changed, (path) => {
    const override = findOverride(parsed, path);
    return override === undefined ? where : `--set ${override.text}`;
  });
}

function checkExperiment(data: unknown, locate: (path: KeyPath) => string): LoadedExperiment {
  const given = withoutNulls(data);
  const result = experimentSchema.safeParse(given);
  if (!result.success) throw toConfigError(result.error.issues, { data: given, locate });
  return { experiment: camelCaseKeys(result.data), resolved: result.data };
}

/** No setting can be null: an empty group (`training:` with nothing below) or a `null` means "the default". */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([key, member]) => [key, withoutNulls(member)]));
}
