// What a resumed run learns from must be what it began with: else its weights would be those of no run at all.
import { MemGenError } from '@memgen/common';
import type { RunManifest } from '@memgen/runs';
import type { DataFacts } from './tasks/task.js';

/** Of the process that resumes. */
export interface Inputs {
  data: readonly DataFacts[];
  /** As in the manifest. */
  model: { id: string; config_sha256: string };
}

/** @throws MemGenError `run-inputs` naming what changed. Test sets may: a resumed run can be evaluated otherwise. */
export function requireSameInputs(manifest: RunManifest, { data, model }: Inputs, where: string): void {
  const known = manifest.models.find(({ role }) => role === 'reasoner');
  if (known !== undefined && known['config_sha256'] !== model.config_sha256) {
    throw changed(where, `the config.json of ${model.id}`, model.config_sha256, String(known['config_sha256']));
  }
  const learned = manifest.data.filter((facts) => facts['test_only'] !== true);
  const given = data.filter((facts) => facts.test_only !== true);
  given.forEach((facts, i) => {
    const before = learned[i];
    if (before?.sha256 === facts.sha256) return;
    throw changed(where, `${facts.name} (${facts.source})`, facts.sha256, before?.sha256 ?? 'no such data');
  });
}

function changed(where: string, what: string, got: string, expected: string): MemGenError {
  return new MemGenError({
    code: 'run-inputs',
    where,
    message: `${what} is not what this run began with`,
    got: `SHA-256 ${got}`,
    expected: expected.length === 64 ? `SHA-256 ${expected}` : expected,
    hint: 'bring it back to go on with the run, or begin a new one',
  });
}
