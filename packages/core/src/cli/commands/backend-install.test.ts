// What `memgen backend install` says it will do.
import { expect, it } from 'vitest';
import type { TensorflowInstallPlan } from '../../backend/install/install-tensorflow.js';
import { describePlan } from './backend-install.js';

const plan: TensorflowInstallPlan = {
  folder: '/cache/engine',
  present: false,
  wheels: [{ project: 'a', file: 'a.whl', size: 100e6, sha256: '' }],
  from: undefined,
  downloadBytes: 100e6,
  diskBytes: 400e6,
};

it('names downloads, what is compiled, and the room', () => {
  const text = describePlan(plan, 'possible');
  expect(text).toContain('download  a.whl (100 MB)');
  expect(text).toMatch(/compile +the addon of tfjs-node/);
  expect(text).toMatch(/compile +the kernels .* AVX-512/);
  expect(text).toContain('Room needed: about 500 MB');
});

it('leaves out kernels that are there, or that the processor cannot use', () => {
  expect(describePlan(plan, 'present')).not.toContain('kernels');
  expect(describePlan(plan, 'impossible')).not.toContain('kernels');
});

it('compiles kernels that are missing beside an engine that is there', () => {
  const present = { ...plan, present: true };
  expect(describePlan(present, 'impossible')).toBe('The tensorflow backend is already installed in /cache/engine.');
  expect(describePlan(present, 'possible')).toMatch(/already installed.*\nThis compiles the kernels/);
  expect(describePlan(present, 'present')).toMatch(/already installed.*\nThe kernels are already installed/);
});
