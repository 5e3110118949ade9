// `pnpm bench`: measures every backend in a process of its own and prints ratios within this one run.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tabulate } from '@memgen/bench';
import { writeFileAtomically } from '@memgen/common';
import { machineLine, type Measurement } from './measurement.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    /** Model folder, GGUF file or hub id for the language-model rows; the tiny reasoner without it. */
    model: { type: 'string', default: 'tiny' },
    backends: { type: 'string', default: 'tensorflow,wasm' },
    only: { type: 'string', default: 'matmul,prefill,decode,woven,training' },
  },
});

const backends = values.backends.split(',');
console.log(machineLine());
const measured: Measurement[] = [];
for (const backend of backends) {
  const worker = fileURLToPath(new URL('measure-backend.ts', import.meta.url));
  const words = ['--import', 'tsx', '--conditions=@memgen/source', worker];
  const settings = JSON.stringify({ backend, quick: values.quick, model: values.model, only: values.only.split(',') });
  const done = spawnSync(process.execPath, [...words, settings], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  const lines = done.stdout.split('\n').filter((line) => line.startsWith('{'));
  measured.push(...lines.map((line) => JSON.parse(line) as Measurement));
  if (done.status !== 0) console.log(`${backend}: ${done.stderr.trim().split('\n').at(-1) ?? 'did not run'}`);
}

const [first, ...others] = backends;
const names = [...new Set(measured.map(({ name }) => name))];
const header = ['measurement', 'unit', ...backends, ...others.map((other) => `${other} : ${first}`), 'official'];
const rows = names.map((name) => {
  const of = (backend: string | undefined) =>
    measured.find((entry) => entry.name === name && entry.backend === backend);
  const base = of(first)?.median;
  return [
    name,
    measured.find((entry) => entry.name === name)!.unit,
    ...backends.map((backend) => format(of(backend)?.median)),
    ...others.map((other) => {
      const value = of(other)?.median;
      return value === undefined || base === undefined ? '-' : (value / base).toFixed(2);
    }),
    format(measured.find((entry) => entry.name === name)!.official),
  ];
});
console.log(tabulate(header, rows, { rightAligned: header.map((_, i) => i).slice(2) }));
if (values.json !== undefined) {
  await writeFileAtomically(values.json, `${JSON.stringify({ machine: machineLine(), measured }, undefined, 2)}\n`);
}

function format(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
