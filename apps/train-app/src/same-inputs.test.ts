// A resumed run refuses other data and another reasoner, before anything is written.
import { describe, expect, it } from 'vitest';
import type { RunManifest } from '@memgen/runs';
import { requireSameInputs } from './same-inputs.js';

const hash = (digit: string) => digit.repeat(64);
const model = { id: 'tiny', config_sha256: hash('a') };
const training = { name: 'shop-training', source: 'generated, seed 1', sha256: hash('b'), rows: 3 };
const test = { name: 'shop-test', source: 'generated, seed 1', sha256: hash('c'), rows: 2, test_only: true as const };

const manifest = {
  models: [{ role: 'reasoner', ...model }],
  data: [training, test],
} as unknown as RunManifest;

const check = (inputs: Parameters<typeof requireSameInputs>[1]) => () => {
  requireSameInputs(manifest, inputs, 'manifest.json');
};

describe('requireSameInputs', () => {
  it('takes the same, also with other test sets', () => {
    expect(check({ data: [training, test], model })).not.toThrow();
    expect(check({ data: [training, { ...test, sha256: hash('d') }], model })).not.toThrow();
    expect(check({ data: [training], model })).not.toThrow();
  });

  it('names the data that changed', () => {
    expect(check({ data: [{ ...training, sha256: hash('d') }, test], model })).toThrow(
      /shop-training \(generated, seed 1\) is not what this run began with[^]*dddd[^]*bbbb/,
    );
    expect(check({ data: [training, { ...training, name: 'more' }], model })).toThrow(/more.*[^]*no such data/);
  });

  it('names the reasoner that changed', () => {
    expect(check({ data: [training], model: { ...model, config_sha256: hash('e') } })).toThrow(
      /config\.json of tiny is not what this run began with/,
    );
  });
});
