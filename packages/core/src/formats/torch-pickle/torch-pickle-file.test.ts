import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../safetensors/index.js';
import { isSharedMissing, sharedPath } from '../shared-files.test-helper.js';
import { openTorchPickle, type TorchPickleFile } from './index.js';
import * as p from './pickle-bytes.test-helper.js';
import { useScratchFile } from './scratch-folder.test-helper.js';
import { bytesOf, checkpointBytes, checkpointMembers, zipBytes, type Checkpoint } from './zip-bytes.test-helper.js';

const write = useScratchFile();

async function use<Result>(source: Checkpoint | Buffer, test: (file: TorchPickleFile) => Promise<Result>) {
  const file = await openTorchPickle(await write(Buffer.isBuffer(source) ? source : checkpointBytes(source)));
  try {
    return await test(file);
  } finally {
    await file.close();
  }
}

const six = bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6));

describe('openTorchPickle', () => {
  it('reads every element type by its name in safetensors', async () => {
    const types = [
      ['DoubleStorage', 'F64', Float64Array.of(1.5, -2)],
      ['FloatStorage', 'F32', Float32Array.of(1.5, -2)],
      ['HalfStorage', 'F16', Uint16Array.of(0x3e00, 0xc000)],
      ['BFloat16Storage', 'BF16', Uint16Array.of(0x3fc0, 0xc000)],
      ['LongStorage', 'I64', BigInt64Array.of(2n ** 40n, -2n)],
      ['IntStorage', 'I32', Int32Array.of(70_000, -2)],
      ['ShortStorage', 'I16', Int16Array.of(300, -2)],
      ['CharStorage', 'I8', Int8Array.of(100, -2)],
      ['ByteStorage', 'U8', Uint8Array.of(200, 2)],
      ['BoolStorage', 'BOOL', Uint8Array.of(1, 0)],
    ] as const;
    const tensors = types.map(
      ([type, dtype], key) => [dtype, p.tensor({ type, key: String(key), elements: 2, shape: [2] })] as const,
    );
    const checkpoint = {
      value: p.dict(Object.fromEntries(tensors)),
      storages: types.map(([, , data]) => bytesOf(data)),
    };
    await use(checkpoint, async (file) => {
      expect([...file.tensors.keys()]).toEqual(types.map(([, dtype]) => dtype));
      for (const [, dtype, data] of types) {
        expect(file.tensors.get(dtype)).toMatchObject({ name: dtype, dtype, shape: [2], byteLength: data.byteLength });
        expect(await file.readRaw(dtype)).toEqual(bytesOf(data));
        const numbers = dtype.includes('F') ? [1.5, -2] : Array.from(data, Number);
        expect(await file.readNumbers(dtype)).toEqual(numbers);
        const floats = file.readFloat32(dtype);
        if (dtype.includes('F')) expect(await floats).toEqual(Float32Array.of(1.5, -2));
        else await expect(floats).rejects.toMatchObject({ code: 'tensor-type', got: dtype });
      }
      await expect(file.readFloat32('F31')).rejects.toMatchObject({ code: 'tensor-missing' });
    });
  });

  it.each([false, true])('reads views of a shared storage, deflated: %s', async (deflate) => {
    const views: [parts: Pick<p.TensorParts, 'shape' | 'strides' | 'offset'>, expected: number[]][] = [
      [{ shape: [2, 3] }, [1, 2, 3, 4, 5, 6]],
      [{ shape: [3, 2], strides: [1, 3] }, [1, 4, 2, 5, 3, 6]],
      [{ shape: [3], offset: 3 }, [4, 5, 6]],
      [{ shape: [2, 2], strides: [3, 1], offset: 1 }, [2, 3, 5, 6]],
      [{ shape: [3, 1, 2], strides: [1, 99, 3] }, [1, 4, 2, 5, 3, 6]],
      [{ shape: [], offset: 5 }, [6]],
      [{ shape: [0, 3] }, []],
    ];
    const tensors = views.map(([parts], i) => [`${i}`, p.tensor({ elements: 6, ...parts })] as const);
    await use({ value: p.dict(Object.fromEntries(tensors)), storages: [six], deflate }, async (file) => {
      for (const [i, [{ shape }, expected]] of views.entries()) {
        expect(file.tensors.get(`${i}`)?.shape).toEqual(shape);
        expect(Array.from(await file.readFloat32(`${i}`))).toEqual(expected);
      }
    });
  });

  it('flattens dictionaries, lists and parameters, and keeps plain values apart', async () => {
    const weight = p.tensor({ elements: 6, shape: [6] });
    const parameter = p.call(p.global('torch._utils', '_rebuild_parameter'), weight, p.yes, p.emptyOrderedDict);
    const byNumber = p.raw('}', p.int(7), weight, 's');
    const value = p.dict({
      epoch: p.int(3),
      state_dict: p.stateDict({ 'norm.weight': parameter, head: p.stateDict({ bias: weight }) }),
      list: p.raw(']', weight, 'a'),
      pair: p.raw(p.none, weight, 0x86),
      state: byNumber,
      empty: p.dict({}),
      config: p.dict({
        name: p.text('tiny é'),
        rate: p.float(0.1),
        seed: p.int(2n ** 62n),
        negative: p.int(-70_000),
        far: p.int(-(2 ** 40)),
        tied: p.yes,
        type: p.global('torch', 'bfloat16'),
        size: p.call(p.global('torch', 'Size'), p.tuple(p.int(2), p.int(300))),
        nothing: p.raw(p.none, 0x85),
      }),
    });
    await use({ value, storages: [six] }, async (file) => {
      expect([...file.tensors.keys()]).toEqual([
        'state_dict.norm.weight',
        'state_dict.head.bias',
        'list.0',
        'pair.1',
        'state.7',
      ]);
      expect(await file.readFloat32('state_dict.norm.weight')).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
      expect(Object.fromEntries(file.metadata)).toEqual({
        epoch: 3,
        'pair.0': null,
        'config.name': 'tiny é',
        'config.rate': 0.1,
        'config.seed': 2n ** 62n,
        'config.negative': -70_000,
        'config.far': -(2 ** 40),
        'config.tied': true,
        'config.type': 'torch.bfloat16',
        'config.size.0': 2,
        'config.size.1': 300,
        'config.nothing.0': null,
      });
    });
  });

  it('understands the memo and the opcodes of protocols 3 to 5', async () => {
    const short = (value: string) => p.raw(0x8c, value.length, value, 0x94);
    const name = (module: string, attribute: string) => p.raw(short(module), short(attribute), 0x93, 0x94);
    const id = p.tuple(short('storage'), name('torch', 'FloatStorage'), short('0'), short('cpu'), p.int(6));
    const shape = p.raw('K', 6, 0x85, 0x94);
    const hooks = p.raw(name('collections', 'OrderedDict'), ')R', 0x94);
    const build = p.raw(
      name('torch._utils', '_rebuild_tensor_v2'),
      '(',
      id,
      'QK\0',
      shape,
      'K\x01\x85',
      p.no,
      hooks,
      'tR',
    );
    const body = p.raw('}', 0x94, '(', short('a'), build, 'r', p.u32(999), short('b'), 'j', p.u32(999), 'u');
    const frame = p.raw(0x95, p.u32(body.length), p.u32(0), body);
    for (const protocol of [3, 4, 5]) {
      await use({ pickle: p.raw(0x80, protocol, frame, '.'), storages: [six] }, async (file) => {
        expect([...file.tensors.keys()]).toEqual(['a', 'b']);
        expect(await file.readFloat32('b')).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
      });
    }
  });

  it('reads zip64 files and files that do not name their byte order', async () => {
    const checkpoint = {
      value: p.dict({ a: p.tensor({ elements: 6, shape: [6] }) }),
      storages: [six],
      byteOrder: undefined,
    };
    await use(zipBytes(checkpointMembers(checkpoint), { zip64: true }), async (file) => {
      expect(await file.readFloat32('a')).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    });
  });

  it('reads 16-bit tensors longer than one piece', async () => {
    const elements = 2 ** 20 + 64;
    const data = Uint16Array.from({ length: elements }, (_, i) => 0x3f80 + (i % 100));
    const value = p.dict({ a: p.tensor({ type: 'BFloat16Storage', elements, shape: [64, elements / 64] }) });
    await use({ value, storages: [bytesOf(data)] }, async (file) => {
      const read = new Uint32Array((await file.readFloat32('a')).buffer);
      expect(read.length).toBe(elements);
      expect(read.every((bits, i) => bits === data[i]! << 16)).toBe(true);
    });
  });
});

describe.skipIf(isSharedMissing('golden', 'c_memgen'))(
  'checkpoints of the reference implementation (needs the shared reference data)',
  () => {
    it.each(['llama', 'qwen2', 'qwen2-hetero'])('of %s hold what state.safetensors holds', async (variant) => {
      const folder = sharedPath('golden', 'c_memgen', variant);
      const state = await openSafetensors(join(folder, 'state.safetensors'));
      const prefixes = { 'weaver.bin': 'weaver.', 'trigger.bin': 'trigger.', 'projs.bin': '' };
      let compared = 0;
      for (const [name, prefix] of Object.entries(prefixes)) {
        const file = await openTorchPickle(join(folder, 'checkpoint', name));
        for (const tensor of file.tensors.values()) {
          const expected = state.tensors.get(prefix + tensor.name);
          expect(tensor, tensor.name).toMatchObject({ dtype: expected?.dtype, shape: expected?.shape });
          expect(await file.readFloat32(tensor.name), tensor.name).toEqual(
            await state.readFloat32(prefix + tensor.name),
          );
          compared++;
        }
        expect(file.metadata.size).toBe(0);
        await file.close();
      }
      await state.close();
      expect(compared).toBe(14);
    });
  },
);
