// The doctor's page of text.
import { expect, it } from 'vitest';
import type { MachineReport } from '../../backend/doctor/examine.js';
import { describeReport } from './doctor.js';

const report: MachineReport = {
  node: { version: 'v20.19.0', supported: true },
  platform: 'linux x64',
  processor: 'A processor',
  cores: 2,
  memory: { total: 16e9, free: 3.21e9 },
  cacheFolder: '/home/ann/.cache/memgen',
  kernels: { vectorBits: 256 },
  backends: [
    { name: 'tensorflow', works: false, problem: 'no @tensorflow/tfjs-node is installed', toDo: 'run `x`' },
    { name: 'tensorflow-gpu', works: true, device: 'cpu', threads: 2, gigaflops: 212.6, bfloat16Gigaflops: 148.7, version: '4.22.0 on x' }, // prettier-ignore
    { name: 'wasm', works: true, device: 'cpu', threads: 1, gigaflops: 31.4, version: '4.22.0' },
    { name: 'cpu', works: true, device: 'cpu', threads: 1, gigaflops: 0.62, version: '4.22.0' },
  ],
  defaultBackend: 'wasm',
};

it('shows speeds, the default and what helps', () => {
  const text = describeReport(report);
  expect(text).toContain('3.2 GB free of 16.0 GB');
  expect(text).toMatch(/^Backend +State +Device +Threads +Speed +in bfloat16 +Version$/m);
  expect(text).toMatch(/^tensorflow-gpu +works +cpu +2 +213 GFLOP\/s +149 GFLOP\/s +4\.22\.0 on x$/m);
  expect(text).toMatch(/^wasm +works +cpu +1 +31 GFLOP\/s +4\.22\.0$/m);
  expect(text).toMatch(/^cpu +works .* 0\.6 GFLOP\/s/m);
  expect(text).toContain('Default: wasm');
  expect(text).toContain('  tensorflow: no @tensorflow/tfjs-node is installed\n    run `x`');
});

it('says how long vectors are, and how they become longer', () => {
  expect(describeReport(report)).toMatch(/^Kernels +vectors of 256 bits$/m);
  const kernels = { vectorBits: 128, toDo: 'run `y`' } as const;
  expect(describeReport({ ...report, kernels })).toMatch(/^Kernels +vectors of 128 bits; run `y`$/m);
});

it('says when Node is too old and when nothing works', () => {
  const broken = { ...report, node: { version: 'v18.0.0', supported: false }, backends: [], defaultBackend: undefined };
  expect(describeReport(broken)).toContain('v18.0.0 (too old: 20.19 or newer is needed)');
  expect(describeReport(broken)).toContain('No backend works.');
});
