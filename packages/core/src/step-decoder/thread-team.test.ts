// Products shared by threads: the same bits as alone, whoever is late.
import { Random } from '@memgen/common';
import { afterEach, expect, it } from 'vitest';
import type { NativeKernels } from '../backend/native/native-kernels.js';
import { builtKernels } from '../backend/native/native-kernels.test-helper.js';
import { Arena } from './arena.js';
import { createKernels, kernelModule, type Kernels } from './kernels.js';
import { PackedMatrix } from './packed-matrix.js';
import { controlBytes, ThreadTeam } from './thread-team.js';

const random = Random.fromSeed(5);
const teams: ThreadTeam[] = [];

afterEach(() => {
  for (const team of teams.splice(0)) team.dispose();
});

function normals(length: number): Float32Array {
  return Float32Array.from({ length }, () => random.normal());
}

function teamOf(threads: number, native?: NativeKernels): { arena: Arena; alone: Kernels; together: Kernels } {
  const arena = new Arena();
  const shared = createKernels(arena.memory, native);
  const control = arena.allocate(controlBytes);
  const team = new ThreadTeam(shared, control, { module: kernelModule(), memory: arena.memory, threads, native });
  teams.push(team);
  return { arena, alone: shared, together: team.kernels };
}

it.each([
  { threads: 2, storage: 'float32', native: undefined },
  { threads: 3, storage: 'float32', native: undefined },
  { threads: 2, storage: 'bfloat16', native: undefined },
  { threads: 2, storage: 'float32', native: builtKernels },
] as const)('$threads threads compute what one does in $storage, bit by bit', async ({ threads, storage, native }) => {
  const { arena, alone, together } = teamOf(threads, native);
  for (const [rows, inputs, outputs] of [
    [1, 300, 1003],
    [4, 256, 520],
    [5, 129, 801],
  ] as const) {
    const values = normals(inputs * outputs);
    const words = new Uint32Array(values.buffer);
    if (storage === 'bfloat16') for (let i = 0; i < words.length; i++) words[i] = words[i]! & 0xffff0000;
    const matrix = PackedMatrix.pack(arena, { inputs, outputs }, values, normals(outputs));
    expect(matrix.storage).toBe(storage);
    const [x, y] = [arena.allocate(4 * rows * inputs), arena.allocate(4 * rows * outputs)]; // prettier-ignore
    arena.floats(x, rows * inputs).set(normals(rows * inputs));
    const result = (kernels: Kernels, accumulate: 0 | 1) => {
      arena.floats(y, rows * outputs).fill(0.5);
      matrix.multiply(kernels, x, rows, y, accumulate);
      return arena.floats(y, rows * outputs).slice();
    };
    for (const accumulate of [0, 1] as const) {
      const expected = result(alone, accumulate);
      for (let i = 0; i < 200; i++) expect(Buffer.from(result(together, accumulate).buffer).equals(Buffer.from(expected.buffer))).toBe(true); // prettier-ignore
      // Long enough for the others to fall asleep.
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
});

it('goes on alone after the others were dismissed', () => {
  const { arena, together } = teamOf(2);
  const matrix = PackedMatrix.pack(arena, { inputs: 512, outputs: 512 }, normals(512 * 512));
  const [x, y] = [arena.allocate(4 * 512), arena.allocate(4 * 512)]; // prettier-ignore
  arena.floats(x, 512).set(normals(512));
  matrix.multiply(together, x, 1, y);
  const before = arena.floats(y, 512).slice();
  teams.pop()!.dispose();
  matrix.multiply(together, x, 1, y);
  expect(arena.floats(y, 512).slice()).toEqual(before);
});
