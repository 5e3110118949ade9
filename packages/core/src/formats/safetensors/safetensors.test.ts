import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSharedMissing, sharedPath } from '../shared-files.test-helper.js';
import { openSafetensors, writeSafetensors } from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A file of the given header text and number of data bytes. */
async function craft(header: string, dataBytes: number, length = Buffer.byteLength(header)): Promise<string> {
  const path = join(folder, 'crafted.safetensors');
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(length));
  await writeFile(path, Buffer.concat([start, Buffer.from(header), Buffer.alloc(dataBytes)]));
  return path;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('writeSafetensors and openSafetensors', () => {
  it('give back any tensors, whatever their names and order', async () => {
    const path = join(folder, 'any.safetensors');
    const tensor = fc
      .tuple(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }), fc.constantFrom('F32', 'F16', 'BF16'))
      .chain(([shape, dtype]) => {
        const length = shape.reduce((a, b) => a * b, 1);
        // Multiples of 1/8 up to 16 are exact in every type.
        const data = fc.array(fc.integer({ min: -128, max: 128 }), { minLength: length, maxLength: length });
        return fc.record({ shape: fc.constant(shape), dtype: fc.constant(dtype), data });
      });
    const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '0', '7', 'é'));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name }), async (made) => {
        const tensors = made
          .filter(([name]) => name !== '__metadata__')
          .map(([name, { shape, dtype, data }]) => ({
            name,
            shape,
            dtype: dtype,
            data: Float32Array.from(data, (value) => value / 8),
          }));
        await writeSafetensors(path, tensors, { metadata: { z: '1', a: 'é"\\' } });
        const bytes = await readFile(path);
        expect((8 + Number(bytes.readBigUInt64LE())) % 8).toBe(0);
        const file = await openSafetensors(path);
        expect(Object.fromEntries(file.metadata)).toEqual({ z: '1', a: 'é"\\' });
        expect(new Set(file.tensors.keys())).toEqual(new Set(tensors.map(({ name }) => name)));
        for (const { name, shape, dtype, data } of tensors) {
          expect(file.tensors.get(name)).toMatchObject({ name, shape, dtype });
          expect(await file.readFloat32(name)).toEqual(data);
          expect(await file.readNumbers(name)).toEqual([...data]);
        }
        await file.close();
        await writeSafetensors(path, tensors.reverse(), { metadata: { a: 'é"\\', z: '1' } });
        expect((await readFile(path)).equals(bytes)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('streams tensors longer than one piece', async () => {
    const path = join(folder, 'long.safetensors');
    const data = Float32Array.from({ length: 2 ** 20 + 5 }, (_, i) => i % 200);
    await writeSafetensors(path, [
      { name: 'f32', shape: [data.length], data },
      { name: 'bf16', shape: [data.length], data, dtype: 'BF16' },
    ]);
    const file = await openSafetensors(path);
    for (const name of ['f32', 'bf16'])
      expect(Buffer.compare(await bytesOf(file, name), Buffer.from(data.buffer))).toBe(0);
    await file.close();
  });

  it('refuse to write what would be wrong and keep the old file', async () => {
    const path = join(folder, 'kept.safetensors');
    const data = Float32Array.of(1, 70000);
    await writeSafetensors(path, [{ name: 'x', shape: [2], data }]);
    const before = await readFile(path);
    const attempt = (...tensors: Parameters<typeof writeSafetensors>[1]) => writeSafetensors(path, tensors);
    await expect(attempt({ name: 'x', shape: [3], data })).rejects.toMatchObject({ code: 'tensor-shape' });
    await expect(attempt({ name: 'x', shape: [2], data, dtype: 'F16' })).rejects.toThrow(
      /too large for F16[\s\S]*70000/,
    );
    await expect(attempt({ name: '__metadata__', shape: [2], data })).rejects.toMatchObject({ code: 'tensor-name' });
    const twice = { name: 'x', shape: [2], data };
    await expect(attempt(twice, twice)).rejects.toMatchObject({ code: 'tensor-name' });
    expect((await readFile(path)).equals(before)).toBe(true);
  });
});

async function bytesOf(file: Awaited<ReturnType<typeof openSafetensors>>, name: string): Promise<Buffer> {
  return Buffer.from((await file.readFloat32(name)).buffer as ArrayBuffer);
}

describe('a hostile or damaged file', () => {
  const cases: [what: string, header: string, dataBytes: number, message: RegExp][] = [
    ['no JSON', '{"a":', 0, /not JSON/],
    ['a list', '[]', 0, /no JSON object/],
    ['a gap', `{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12, /"b" lies behind a gap/],
    ['an overlap', `{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12, /"b" overlaps/],
    ['bytes after the end', `{"a":${entry(0, 4)}}`, 5, /goes on after/],
    ['a tensor beyond the end', `{"a":${entry(0, 8)}}`, 4, /ends before its tensors/],
    ['a name given twice', `{"a":${entry(0, 4)},"\\u0061":${entry(0, 4)}}`, 4, /"a" twice/],
    ['an unknown type', `{"a":${entry(0, 4, [1], 'Q9')}}`, 4, /dtype "Q9"/],
    ['a shape that does not fit', `{"a":${entry(0, 4, [2])}}`, 4, /4 bytes[\s\S]*8 bytes for F32 of shape \[2\]/],
    ['a shape that overflows', `{"a":${entry(0, 0, [2 ** 53 - 1, 2 ** 53 - 1, 2 ** 53 - 1])}}`, 0, /"a" is wrong/],
    ['a negative shape', `{"a":${entry(0, 4, [-1, -1])}}`, 4, /shape \[-1,-1\]/],
    ['a fraction', `{"a":${entry(0, 4, [0.5, 2])}}`, 4, /shape \[0\.5,2\]/],
    ['reversed offsets', `{"a":${entry(4, 0, [1])}}`, 4, /data_offsets \[4,0\]/],
    ['three offsets', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4, /data_offsets/],
    ['an unknown key', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}}', 4, /extra/],
    ['an entry that is no object', '{"a":null}', 0, /"a" is wrong/],
    ['metadata that are no text', '{"__metadata__":{"a":1}}', 0, /"a" is no text/],
  ];
  it.each(cases)('%s is refused', async (_, header, dataBytes, message) => {
    await expect(openSafetensors(await craft(header, dataBytes))).rejects.toThrow(message);
  });

  it.each([[1], [20], [2 ** 40], [Number.MAX_SAFE_INTEGER]])('a header length of %d is refused', async (length) => {
    await expect(openSafetensors(await craft('{}', 0, length))).rejects.toMatchObject({ code: 'safetensors-header' });
  });

  it('shorter than eight bytes is refused', async () => {
    const path = join(folder, 'short.safetensors');
    await writeFile(path, 'abc');
    await expect(openSafetensors(path)).rejects.toMatchObject({ code: 'file-truncated' });
  });

  it('that is cut anywhere is refused, and one changed byte of the header never crashes it', async () => {
    const path = join(folder, 'whole.safetensors');
    await writeSafetensors(path, [{ name: 'x', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]);
    const bytes = await readFile(path);
    const broken = join(folder, 'broken.safetensors');
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(broken, bytes.subarray(0, length));
      await expect(openSafetensors(broken)).rejects.toMatchObject({ name: 'MemGenError' });
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 17), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= flip;
        await writeFile(broken, changed);
        const outcome = await openSafetensors(broken).then(
          (file) => file.close(),
          (error: unknown) => error,
        );
        if (outcome !== undefined) expect(outcome).toMatchObject({ name: 'MemGenError' });
      }),
    );
  });

  it('cannot reach the prototypes', async () => {
    const file = await openSafetensors(await craft(`{"__proto__":${entry(0, 4)},"__metadata__":{"__proto__":"x"}}`, 4));
    expect([...file.tensors.keys()]).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
    expect(await file.readNumbers('__proto__')).toEqual([0]);
    await expect(file.readFloat32('constructor')).rejects.toMatchObject({ code: 'tensor-missing' });
    await file.close();
  });
});

describe('shards', () => {
  async function makeShards(weightMap: Record<string, unknown>, index: Record<string, unknown> = {}): Promise<string> {
    const sub = await mkdtemp(join(folder, 'shards-'));
    for (const [i, name] of ['a', 'b'].entries()) {
      await writeSafetensors(join(sub, `model-${i + 1}.safetensors`), [{ name, shape: [1], data: Float32Array.of(i) }]);
    }
    const json = JSON.stringify({ metadata: { total_size: 8 }, weight_map: weightMap, ...index });
    await writeFile(join(sub, 'model.safetensors.index.json'), json);
    return sub;
  }

  it('are read as one', async () => {
    const file = await openSafetensors(await makeShards({ b: 'model-2.safetensors', a: 'model-1.safetensors' }));
    expect([...file.tensors.keys()].sort()).toEqual(['a', 'b']);
    expect(await file.readNumbers('b')).toEqual([1]);
    expect(file.metadata.get('total_size')).toBe('8');
    await expect(file.readRaw('c')).rejects.toMatchObject({ code: 'tensor-missing' });
    await file.close();
  });

  it.each([
    [{ a: 'model-1.safetensors', b: 'model-9.safetensors' }, 'safetensors-missing-shard', /model-9\.safetensors/],
    [{ a: 'model-2.safetensors', b: 'model-1.safetensors' }, 'safetensors-index', /"a" is in model-2/],
    [{ a: 'model-1.safetensors', c: 'model-2.safetensors' }, 'safetensors-index', /"c" is in model-2/],
    [{ a: '../model-1.safetensors' }, 'safetensors-index', /no file name/],
    [{ a: 5 }, 'safetensors-index', /no file name/],
  ])('that do not fit the index %j are refused', async (weightMap, code, message) => {
    const attempt = openSafetensors(await makeShards(weightMap));
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('with a tensor that the index does not list are refused', async () => {
    const sub = await makeShards({ a: 'model-1.safetensors', b: 'model-2.safetensors' });
    const path = join(sub, 'model-2.safetensors');
    const one = Float32Array.of(1);
    await writeSafetensors(path, [
      { name: 'b', shape: [1], data: one },
      { name: 'stray', shape: [1], data: one },
    ]);
    await expect(openSafetensors(sub)).rejects.toThrow(/"stray", which the index does not list/);
  });

  it('need a weight map', async () => {
    const sub = await makeShards({}, { weight_map: [] });
    await expect(openSafetensors(sub)).rejects.toThrow(/no weight_map/);
  });
});

describe('openSafetensors of a path', () => {
  it('says what a folder holds instead, and what is missing', async () => {
    const sub = await mkdtemp(join(folder, 'other-'));
    await writeFile(join(sub, 'pytorch_model.bin'), '');
    await expect(openSafetensors(sub)).rejects.toThrow(/pytorch_model\.bin[\s\S]*convert/);
    await expect(openSafetensors(join(sub, 'none'))).rejects.toMatchObject({ code: 'file-not-found' });
  });

  it('takes the only weight file of a folder', async () => {
    const sub = await mkdtemp(join(folder, 'adapter-'));
    const path = join(sub, 'adapter_model.safetensors');
    await writeSafetensors(path, [{ name: 'x', shape: [], data: Float32Array.of(2) }]);
    const file = await openSafetensors(sub);
    expect(await file.readNumbers('x')).toEqual([2]);
    await file.close();
  });
});

describe.skipIf(isSharedMissing('golden/h_dtypes'))('golden group h (needs the shared reference data)', () => {
  const hex = (values: Float32Array) =>
    Array.from(new Uint32Array(values.buffer), (bits) => bits.toString(16).padStart(8, '0'));

  it('reads every type to the bit', async () => {
    const file = await openSafetensors(sharedPath('golden/h_dtypes/mixed.safetensors'));
    const expected: Record<string, string[]> & { shapes: Record<string, number[]> } = JSON.parse(
      await readFile(sharedPath('golden/h_dtypes/expected.json'), 'utf8'),
    );
    for (const [name, shape] of Object.entries(expected.shapes)) expect(file.tensors.get(name)?.shape).toEqual(shape);
    for (const name of ['bf16', 'f16', 'f32']) {
      const got = hex(await file.readFloat32(name));
      for (const [i, bits] of expected[`${name}_f32_bits`]?.entries() ?? expected[`${name}_bits`]!.entries()) {
        const isNan = (parseInt(bits, 16) & 0x7fffffff) > 0x7f800000;
        if (isNan) expect((parseInt(got[i]!, 16) & 0x7fffffff) > 0x7f800000).toBe(true);
        else expect(got[i], `${name}[${i}]`).toBe(bits);
      }
    }
    expect((await file.readNumbers('i64')).map(String)).toEqual(expected.i64);
    expect(await file.readNumbers('f64')).toEqual(expected.f64!.map(Number));
    expect([...(await file.readFloat32('f64'))]).toEqual(expected.f64!.map((text) => Math.fround(Number(text))));
    expect(await file.readNumbers('i32')).toEqual(expected.i32);
    expect(await file.readNumbers('u8')).toEqual(expected.u8);
    expect(await file.readNumbers('bool')).toEqual([1, 0]);
    expect(await file.readNumbers('scalar')).toEqual([2.5]);
    expect(await file.readFloat32('empty')).toHaveLength(0);
    expect(await file.readFloat32('bf16_odd')).toHaveLength(7);
    await expect(file.readFloat32('i64')).rejects.toMatchObject({ code: 'tensor-type' });
    await file.close();
  });

  it('rounds to bfloat16 as the reference does', async () => {
    const { f32_to_bf16: golden } = JSON.parse(await readFile(sharedPath('golden/h_dtypes/expected.json'), 'utf8'));
    const bits = Uint32Array.from(golden.f32_bits as string[], (text) => parseInt(text, 16));
    const path = join(folder, 'rounded.safetensors');
    const data = new Float32Array(bits.buffer);
    await writeSafetensors(path, [{ name: 'x', shape: [data.length], data, dtype: 'BF16' }]);
    const file = await openSafetensors(path);
    const raw = new Uint16Array((await file.readRaw('x')).buffer);
    expect([...raw].map((half) => half.toString(16).padStart(4, '0'))).toEqual(golden.bf16_bits);
    await file.close();
  });

  it('reads the sharded Qwen3 model', async () => {
    const file = await openSafetensors(sharedPath('golden/a_models/qwen3-sharded/model'));
    expect(file.tensors.get('model.layers.0.mlp.down_proj.weight')?.shape).toHaveLength(2);
    expect((await file.readFloat32('model.embed_tokens.weight')).length).toBeGreaterThan(0);
    await file.close();
  });
});
