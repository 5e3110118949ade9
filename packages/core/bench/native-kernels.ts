// Measures the step decoder's kernels of the addon against those in WebAssembly, one thread, in turns in one process, with the
// sizes of SmolLM2-135M: `node --import tsx --conditions=@memgen/source packages/core/bench/native-kernels.ts [repetitions]`.
import { Random } from '@memgen/common';
import { nativeKernels } from '../src/backend/native/native-kernels.js';
import { joinsVectors } from '../src/backend/web-assembly.js';
import { Arena } from '../src/step-decoder/arena.js';
import {
  attentionTaskWords,
  createKernels,
  pageColumns,
  scoreRows,
  type Kernels,
} from '../src/step-decoder/kernels.js';
import { PackedMatrix } from '../src/step-decoder/packed-matrix.js';

const repetitions = Number(process.argv[2] ?? 15);
const native = nativeKernels();
if (native === undefined)
  throw new Error('there is no addon: run `memgen backend install --kernels` on Linux with AVX-512');

const [hidden, intermediate, heads, group, headSize] = [576, 1536, 9, 3, 64];
const arena = new Arena();
const kernels = { webAssembly: createKernels(arena.memory), addon: createKernels(arena.memory, native) };
const random = Random.fromSeed(1);

function place(length: number): number {
  const address = arena.allocate(4 * length);
  arena.floats(address, length).set(Float32Array.from({ length }, () => random.normal()));
  return address;
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

function compare(name: string, operations: number, compute: (kernels: Kernels) => void): void {
  const times = { webAssembly: [] as number[], addon: [] as number[] };
  for (let i = 0; i < repetitions; i++) {
    for (const by of ['webAssembly', 'addon'] as const) {
      const start = performance.now();
      compute(kernels[by]);
      times[by].push(performance.now() - start);
    }
  }
  const rate = (by: keyof typeof times) => operations / median(times[by]) / 1e6;
  const texts = [rate('webAssembly'), rate('addon')].map((value) => value.toFixed(0).padStart(6));
  console.log(name.padEnd(40), ...texts, (rate('addon') / rate('webAssembly')).toFixed(2).padStart(6));
}

console.log(`GFLOP/s: WebAssembly in vectors of ${joinsVectors() ? 256 : 128} bits, the addon, ratio`);
const values = Float32Array.from({ length: hidden * 2 * intermediate }, () => random.normal());
for (const storage of ['float32', 'bfloat16'] as const) {
  const words = new Uint32Array(values.buffer);
  if (storage === 'bfloat16') for (let i = 0; i < words.length; i++) words[i] = words[i]! & 0xffff0000;
  const matrix = PackedMatrix.pack(arena, { inputs: hidden, outputs: 2 * intermediate }, values);
  for (const rows of [1, 4, 16, 148, 256]) {
    const [x, y] = [place(rows * hidden), place(rows * 2 * intermediate)];
    const operations = 2 * rows * hidden * 2 * intermediate;
    compare(`${rows} rows by gate and up, ${storage}`, operations, (by) => {
      matrix.multiply(by, x, rows, y);
    });
  }
}
for (const [columns, asking] of [
  [128, 1],
  [1024, 1],
  [256, 256],
] as const) {
  const pages = Array.from({ length: Math.ceil(columns / pageColumns) }, () =>
    place(2 * (heads / group) * headSize * pageColumns),
  );
  const list = arena.allocate(4 * pages.length);
  arena.words(list, pages.length).set(pages);
  const [query, output] = [place(asking * heads * headSize), place(asking * heads * headSize)];
  const scores = arena.allocate(4 * scoreRows(group) * pages.length * pageColumns);
  const tasks = arena.allocate(4 * attentionTaskWords * asking);
  const lengths = Array.from({ length: asking }, (_, i) => columns - asking + i + 1);
  const words = lengths.flatMap((length, i) => {
    const offset = 4 * i * heads * headSize;
    return [query + offset, output + offset, list, length];
  });
  arena.words(tasks, words.length).set(words);
  const operations = 4 * heads * headSize * lengths.reduce((sum, length) => sum + length, 0);
  compare(`attention of ${asking} to ${columns} columns`, operations, (by) => {
    by.attend(tasks, asking, 0, heads, group, headSize, scores, 0);
  });
}
const [gates, activated] = [place(256 * 2 * intermediate), place(256 * intermediate)];
compare('gate of 256 rows', 256 * intermediate, (by) => {
  by.gatedActivation(gates, activated, 256, intermediate);
});
