// The configuration as it will be used, in the form of its file.
import { stringify } from 'yaml';
import { withNext, type LoadedExperiment } from './load-experiment.js';

/** YAML that loads to the same experiment, with every default spelled out. */
export function printExperiment(loaded: LoadedExperiment): string {
  return stringify(withNext(loaded), { lineWidth: 120, flowCollectionPadding: false });
}
