// Packed matrices: products of all sizes in both storages, lookups, and when bfloat16 is chosen.
import { Random } from '@memgen/common';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { builtKernels } from '../backend/native/native-kernels.test-helper.js';
import { Arena } from './arena.js';
import { createKernels } from './kernels.js';
import { packedBytes, PackedMatrix, storageOf } from './packed-matrix.js';

function numbers(length: number, seed: number, storage: 'float32' | 'bfloat16'): Float32Array {
  const random = Random.fromSeed(seed);
  const values = Float32Array.from({ length }, () => random.normal());
  if (storage === 'bfloat16') {
    const words = new Uint32Array(values.buffer);
    words.forEach((word, i) => {
      words[i] = word & 0xffff0000;
    });
  }
  return values;
}

const sizes = {
  rows: fc.integer({ min: 1, max: 40 }),
  inputs: fc.integer({ min: 1, max: 21 }),
  outputs: fc.integer({ min: 1, max: 140 }),
  seed: fc.nat(),
  withBias: fc.boolean(),
  accumulate: fc.constantFrom(0, 1),
};

const unavailable = 'needs AVX-512, Linux and a C++ compiler';

describe.each([
  { storage: 'float32', by: 'WebAssembly', native: undefined },
  { storage: 'bfloat16', by: 'WebAssembly', native: undefined },
  { storage: 'float32', by: `the addon (${unavailable})`, native: builtKernels },
  { storage: 'bfloat16', by: `the addon (${unavailable})`, native: builtKernels },
] as const)('PackedMatrix in $storage, multiplied by $by', ({ storage, by, native }) => {
  beforeEach(({ skip }) => {
    if (by !== 'WebAssembly' && native === undefined) skip();
  });

  it('multiplies rows of any size, and writes nothing but them', () => {
    fc.assert(
      fc.property(fc.record(sizes), ({ rows, inputs, outputs, seed, withBias, accumulate }) => {
        const arena = new Arena();
        const weights = numbers(inputs * outputs, seed, storage);
        const bias = withBias ? numbers(outputs, seed + 1, 'float32') : undefined;
        const matrix = PackedMatrix.pack(arena, { inputs, outputs }, weights, bias);
        // One weight may be representable by chance.
        if (weights.length > 1) expect(matrix.storage).toBe(storage);
        const x = numbers(rows * inputs, seed + 2, 'float32');
        const old = numbers(rows * outputs + 8, seed + 3, 'float32');
        const [from, to] = [arena.allocate(4 * x.length), arena.allocate(4 * old.length)];
        arena.floats(from, x.length).set(x);
        arena.floats(to, old.length).set(old);
        matrix.multiply(createKernels(arena.memory, native), from, rows, to, accumulate);
        const got = arena.floats(to, old.length);
        for (let i = 0; i < old.length; i++) {
          const [row, output] = [Math.floor(i / outputs), i % outputs];
          let expected = old[i]!;
          if (row < rows) {
            expected = (accumulate ? expected : 0) + (bias?.[output] ?? 0);
            for (let k = 0; k < inputs; k++) expected += x[row * inputs + k]! * weights[k * outputs + output]!;
          }
          expect(Math.abs(got[i]! - expected)).toBeLessThan(1e-4);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('computes a row to the bit as it is alone, whatever rows are with it', () => {
    const [rows, inputs, outputs] = [15, 35, 118];
    const arena = new Arena();
    const bias = numbers(outputs, 2, 'float32');
    const matrix = PackedMatrix.pack(arena, { inputs, outputs }, numbers(inputs * outputs, 1, storage), bias);
    const x = numbers(rows * inputs, 3, 'float32');
    const old = numbers(rows * outputs, 4, 'float32');
    const [from, to] = [arena.allocate(4 * x.length), arena.allocate(4 * old.length)];
    const multiplied = (first: number, count: number) => {
      arena.floats(from, x.length).set(x);
      arena.floats(to, old.length).set(old);
      matrix.multiply(
        createKernels(arena.memory, native),
        from + 4 * first * inputs,
        count,
        to + 4 * first * outputs,
        1,
      );
      return [...arena.floats(to + 4 * first * outputs, count * outputs)];
    };
    expect(Array.from({ length: rows }, (_, row) => multiplied(row, 1)).flat()).toEqual(multiplied(0, rows));
  });

  it('gives back the weights of an output as they were', () => {
    const [inputs, outputs] = [5, 19];
    const weights = numbers(inputs * outputs, 1, storage);
    const matrix = PackedMatrix.pack(new Arena(), { inputs, outputs }, weights);
    for (let output = 0; output < outputs; output++) {
      const vector = new Float32Array(inputs);
      matrix.copyOutput(output, vector);
      expect([...vector]).toEqual(Array.from({ length: inputs }, (_, k) => weights[k * outputs + output]));
    }
  });

  it('takes the memory that packedBytes says, also where an earlier content was left', () => {
    const arena = new Arena();
    const shape = { inputs: 33, outputs: 21 };
    const dirty = arena.allocate(8000);
    arena.words(dirty, 2000).fill(0xffffffff);
    arena.release(dirty);
    const matrix = PackedMatrix.pack(arena, shape, numbers(33 * 21, 1, storage));
    expect(arena.usedBytes).toBe(packedBytes(shape, storage));
    const vector = new Float32Array(33);
    // Padding beyond the last output.
    matrix.copyOutput(23, vector);
    expect(vector.every((weight) => weight === 0)).toBe(true);
  });
});

it.skipIf(builtKernels === undefined)(
  'gives the same bits by the addon, where WebAssembly multiplies and adds in one',
  () => {
    const [rows, inputs, outputs] = [29, 300, 205];
    const arena = new Arena();
    const weights = numbers(inputs * outputs, 1, 'float32');
    const matrix = PackedMatrix.pack(arena, { inputs, outputs }, weights, numbers(outputs, 2, 'float32'));
    const [x, y] = [arena.allocate(4 * rows * inputs), arena.allocate(4 * rows * outputs)];
    arena.floats(x, rows * inputs).set(numbers(rows * inputs, 3, 'float32'));
    const [byModule, byAddon] = [undefined, builtKernels].map((native) => {
      arena.floats(y, rows * outputs).fill(0.5);
      matrix.multiply(createKernels(arena.memory, native), x, rows, y, 1);
      return [...arena.floats(y, rows * outputs)];
    });
    expect(byAddon).toEqual(byModule);
  },
);

it.each([
  { by: 'WebAssembly', native: undefined },
  { by: 'the addon', native: builtKernels },
])('multiplies beyond the addresses that a signed number can hold by $by', ({ native }) => {
  const arena = new Arena();
  arena.allocate(2 ** 31);
  const matrix = PackedMatrix.pack(arena, { inputs: 2, outputs: 3 }, Float32Array.of(1, 2, 3, 10, 20, 30));
  const [x, y] = [arena.allocate(8), arena.allocate(12)];
  expect(x).toBeGreaterThan(2 ** 31);
  arena.floats(x, 2).set([5, 7]);
  matrix.multiply(createKernels(arena.memory, native), x, 1, y);
  expect([...arena.floats(y, 3)]).toEqual([75, 150, 225]);
});

describe('storageOf', () => {
  it('is bfloat16 only when no value loses a bit', () => {
    expect(storageOf(Float32Array.of(0, -0, 1, -2.5, 2 ** -130, Infinity))).toBe('bfloat16');
    expect(storageOf(Float32Array.of(1, 1 + 2 ** -7))).toBe('bfloat16');
    expect(storageOf(Float32Array.of(1, 1 + 2 ** -8))).toBe('float32');
  });

  it('looks at the values of a view only', () => {
    expect(storageOf(Float32Array.of(0.1, 1, 2).subarray(1))).toBe('bfloat16');
  });
});
