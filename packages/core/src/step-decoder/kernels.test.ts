// The kernels one by one against plain arithmetic in float64, for sizes that are no multiple of anything.
import { readFile } from 'node:fs/promises';
import { Random } from '@memgen/common';
import { beforeEach, describe, expect, it } from 'vitest';
import { compileKernels } from '../../scripts/build-kernels.js';
import { builtKernels } from '../backend/native/native-kernels.test-helper.js';
import { Arena } from './arena.js';
import { compile, link } from '../backend/web-assembly.js';
import {
  attentionTaskWords,
  columnsTogether,
  createKernels,
  pageColumns,
  scoreRows,
  type Kernels,
  type SharedKernels,
} from './kernels.js';
import { kernelsBase64 } from './kernels.wasm.js';
import { controlBytes } from './thread-team.js';

let arena: Arena;
let kernels: Kernels;
let random: Random;

beforeEach(() => {
  arena = new Arena();
  random = Random.fromSeed(7);
});

function normals(length: number): Float32Array {
  return Float32Array.from({ length }, () => random.normal());
}

function place(values: Float32Array): number {
  const address = arena.allocate(4 * values.length);
  arena.floats(address, values.length).set(values);
  return address;
}

function expectClose(got: Float32Array, expected: readonly number[], tolerance = 2e-6): void {
  expect(got.length).toBe(expected.length);
  const size = Math.max(...expected.map(Math.abs));
  expect(Math.max(...expected.map((value, i) => Math.abs(value - got[i]!)))).toBeLessThan(tolerance * size);
}

it('are those that the sources give', { timeout: 60_000 }, async () => {
  const committed = await readFile(new URL('./kernels.wasm.ts', import.meta.url), 'utf8');
  // When this fails: run `pnpm --filter @memgen/core build-kernels`.
  expect(committed === (await compileKernels())).toBe(true);
});

const { simd, relaxedSimd } = kernelsBase64;

describe.each([
  { built: 'for this engine', make: () => createKernels(arena.memory) },
  { built: 'without joined vectors', make: () => link(compile({ simd, relaxedSimd }), arena.memory) as Kernels },
  { built: 'without relaxed SIMD', make: () => link(compile({ simd, relaxedSimd: simd }), arena.memory) as Kernels },
  { built: 'as an addon (needs AVX-512, Linux and a C++ compiler)', native: builtKernels },
])('built $built', ({ make, native }) => {
  beforeEach(({ skip }) => {
    if (make === undefined && native === undefined) skip();
    kernels = make?.() ?? createKernels(arena.memory, native);
  });

  describe('exponentials', () => {
    const apply = (values: Float32Array, shift = 0, factor = 1) => {
      const address = place(values);
      // Whole pairs of vectors; a block has room for that.
      kernels.exponentials(address, address, 32 * Math.ceil(values.length / 8), shift, factor);
      return arena.floats(address, values.length);
    };

    it('have a relative error below 3e-7', () => {
      const values = Float32Array.from({ length: 200_000 }, (_, i) => -87.3 + (i / 200_000) * 175.6);
      const results = apply(values);
      let worst = 0;
      values.forEach((x, i) => {
        worst = Math.max(worst, Math.abs(results[i]! / Math.exp(x) - 1));
      });
      expect(worst).toBeLessThan(3e-7);
    });

    it('are those of shifted and scaled numbers', () => {
      const values = normals(21);
      expectClose(
        apply(values, 0.5, -2),
        Array.from(values, (x) => Math.exp(-2 * (x - 0.5))),
        1e-6,
      );
    });

    it('are one at zero, and finite and almost nothing or huge far away', () => {
      const [zero, nothing, huge, least] = apply(Float32Array.of(0, -1e30, 1e30, -Infinity));
      expect(zero).toBe(1);
      expect(nothing).toBeLessThan(2e-38);
      expect(least).toBe(nothing);
      expect(huge).toBeGreaterThan(2e38);
      expect(huge).toBeLessThan(Infinity);
    });
  });

  describe('rmsNorm', () => {
    it.each([1, 4, 7, 18])('normalises rows of %i', (size) => {
      const rows = 3;
      const x = normals(rows * size);
      const weight = normals(size);
      const y = arena.allocate(4 * x.length);
      kernels.rmsNorm(place(x), place(weight), y, rows, size, 0.1);
      const expected = Array.from(x, (value, i) => {
        const row = x.subarray(i - (i % size), i - (i % size) + size);
        const mean = row.reduce((sum, v) => sum + v * v, 0) / size;
        return (value / Math.sqrt(mean + 0.1)) * weight[i % size]!;
      });
      expectClose(arena.floats(y, x.length), expected);
    });
  });

  describe('rotate', () => {
    it.each([2, 6, 8, 20])('turns the halves of heads of size %i', (size) => {
      const heads = 3;
      const half = size / 2;
      const x = normals(heads * size);
      const angles = normals(half);
      const address = place(x);
      kernels.rotate(
        address,
        heads,
        size,
        place(Float32Array.from([...angles.map(Math.cos), ...angles.map(Math.sin)])),
      );
      const expected = Array.from(x, (value, i) => {
        const channel = i % size;
        const angle = angles[channel % half]!;
        const other = channel < half ? -x[i + half]! : x[i - half]!;
        return value * Math.cos(angle) + other * Math.sin(angle);
      });
      expectClose(arena.floats(address, x.length), expected);
    });
  });

  describe('gatedActivation', () => {
    it.each([1, 3, 8, 13, 29])('works on rows of %i gates and writes no further', (size) => {
      const rows = 2;
      const x = normals(rows * 2 * size).map((value) => 5 * value);
      const y = place(new Float32Array(rows * size + 8).fill(42));
      kernels.gatedActivation(place(x), y, rows, size);
      const expected = Array.from({ length: rows * size }, (_, i) => {
        const start = Math.floor(i / size) * 2 * size + (i % size);
        return (x[start]! / (1 + Math.exp(-x[start]!))) * x[start + size]!;
      });
      expectClose(arena.floats(y, rows * size), expected);
      expect([...arena.floats(y + 4 * rows * size, 8)]).toEqual(Array.from({ length: 8 }, () => 42));
    });
  });

  describe('storeColumn and attend', () => {
    const sizes = [
      { headSize: 2, columns: 1, group: 1 },
      { headSize: 6, columns: 31, group: 2 },
      { headSize: 16, columns: 33, group: 3 },
      { headSize: 22, columns: 97, group: 1 },
      { headSize: 64, columns: 75, group: 3 },
      // Two runs of 32 channels, one of four, one of two; two whole pages and a part.
      { headSize: 70, columns: 130, group: 3 },
    ];
    it.each(sizes)('mix the values of $columns columns in heads of $headSize', ({ headSize, columns, group }) => {
      const keyValueHeads = 2;
      const width = keyValueHeads * headSize;
      // Other layers lie before this one in a page; what was left in the page must not matter.
      const layerOffset = 128;
      const pages = Array.from({ length: Math.ceil(columns / pageColumns) }, () =>
        place(new Float32Array(layerOffset / 4 + 2 * width * pageColumns).fill(NaN)),
      );
      const key = normals(columns * width);
      const value = normals(columns * width);
      const [keys, values] = [place(key), place(value)];
      for (let c = 0; c < columns; c++) {
        const page = pages[Math.floor(c / pageColumns)]! + layerOffset;
        kernels.storeColumn(
          keys + 4 * c * width,
          values + 4 * c * width,
          page,
          c % pageColumns,
          keyValueHeads,
          headSize,
        );
      }
      const query = normals(group * width).map((number) => 3 * number);
      const pageList = arena.allocate(4 * pages.length);
      arena.words(pageList, pages.length).set(pages);
      const output = place(new Float32Array(group * width + 4).fill(42));
      const scores = arena.allocate(4 * group * pages.length * pageColumns);
      const task = arena.allocate(4 * attentionTaskWords);
      arena.words(task, attentionTaskWords).set([place(query), output, pageList, columns]);
      kernels.attend(task, 1, layerOffset, keyValueHeads * group, group, headSize, scores, 0);

      const head = (of: Float32Array, column: number, h: number) =>
        of.subarray(column * width + h * headSize, column * width + (h + 1) * headSize);
      const expected = Array.from({ length: keyValueHeads * group }, (_, h) => {
        const q = query.subarray(h * headSize, (h + 1) * headSize);
        const kv = Math.floor(h / group);
        const weights = Array.from({ length: columns }, (_, c) =>
          Math.exp(head(key, c, kv).reduce((sum, k, i) => sum + k * q[i]!, 0) / Math.sqrt(headSize)),
        );
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return Array.from({ length: headSize }, (_, i) =>
          weights.reduce((sum, weight, c) => sum + (weight / total) * head(value, c, kv)[i]!, 0),
        );
      }).flat();
      expectClose(arena.floats(output, group * width), expected, 1e-5);
      expect([...arena.floats(output + 4 * group * width, 4)]).toEqual([42, 42, 42, 42]);

      // A thread may take one head of a group at a time.
      const together = [...arena.floats(output, group * width)];
      arena.floats(output, group * width).fill(42);
      const control = place(new Float32Array(controlBytes / 4));
      const heads = keyValueHeads * group;
      (kernels as SharedKernels).attendTogether(control, 1, task, 1, layerOffset, heads, group, headSize, scores, 0);
      expect([...arena.floats(output, group * width)]).toEqual(together);
    });

    it.each([
      { headSize: 64, group: 3 },
      { headSize: 6, group: 7 },
      { headSize: 22, group: 1 },
      { headSize: 4, group: 13 },
    ])(
      'go through columns of two rows together, to the bit as alone, in heads of $headSize, $group of a group',
      (size) => {
        const { headSize, group } = size;
        const keyValueHeads = 2;
        const heads = group * keyValueHeads;
        const width = keyValueHeads * headSize;
        const rows = [
          { columns: 131, asking: 9 },
          { columns: 5, asking: 3 },
        ];
        const tasks = rows.flatMap(({ columns, asking }) => {
          const pages = Array.from({ length: Math.ceil(columns / pageColumns) }, () =>
            place(normals(2 * width * pageColumns)),
          );
          const list = arena.allocate(4 * pages.length);
          arena.words(list, pages.length).set(pages);
          return Array.from({ length: asking }, (_, i) => [list, columns - asking + i + 1] as const);
        });
        const queries = place(normals(tasks.length * heads * headSize));
        const [alone, together] = [0, 1].map(() => place(new Float32Array(tasks.length * heads * headSize).fill(42)));
        const scores = arena.allocate(4 * scoreRows(group) * 192);
        const list = (output: number): number => {
          const address = arena.allocate(4 * attentionTaskWords * tasks.length);
          const words = tasks.flatMap(([pages, columns], i) => {
            const offset = 4 * i * heads * headSize;
            return [queries + offset, output + offset, pages, columns];
          });
          arena.words(address, words.length).set(words);
          return address;
        };
        const first = list(alone!);
        tasks.forEach((_, i) => {
          const task = first + 4 * attentionTaskWords * i;
          kernels.attend(task, 1, 0, heads, group, headSize, scores, 0);
        });
        const expected = [...arena.floats(alone!, tasks.length * heads * headSize)];
        const all = list(together!);
        kernels.attend(all, tasks.length, 0, heads, group, headSize, scores, 0);
        const results = () => [...arena.floats(together!, tasks.length * heads * headSize)];
        expect(results()).toEqual(expected);
        arena.floats(together!, expected.length).fill(42);
        const control = place(new Float32Array(controlBytes / 4));
        const part = columnsTogether(group) * heads;
        (kernels as SharedKernels).attendTogether(
          control,
          part,
          all,
          tasks.length,
          0,
          heads,
          group,
          headSize,
          scores,
          0,
        );
        expect(results()).toEqual(expected);
      },
    );
  });
});
