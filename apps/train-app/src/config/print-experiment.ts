// The configuration as it will be used, in the form of its file.
import { stringify } from 'yaml';
import type { ExperimentFile } from './schema.js';

/** YAML that loads to the same experiment, with every default spelled out. */
export function printExperiment(resolved: ExperimentFile): string {
  return stringify(resolved, { lineWidth: 120, flowCollectionPadding: false });
}
