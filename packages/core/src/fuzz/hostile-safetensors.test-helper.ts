// Damaged safetensors files: the header as JSON, its length, the bytes of the whole.
import type { Random } from '@memgen/common';
import { bytesOf } from '../formats/torch-pickle/zip-bytes.test-helper.js';
import { hostileNumbers, mutateBytes } from './hostile-bytes.test-helper.js';
import { mutateJson } from './hostile-json.test-helper.js';
import { smallTensors, type SmallTensor } from './small-model.test-helper.js';

type Entry = { dtype: string; shape: readonly number[]; data_offsets: [number, number] };

function layOut(tensors: readonly SmallTensor[]) {
  const header: Record<string, Entry | Record<string, string>> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, shape, data } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  return { header, data: Buffer.concat(tensors.map((tensor) => bytesOf(tensor.data))) };
}

function assemble(header: string, data: Uint8Array, length = BigInt(Buffer.byteLength(header))): Buffer {
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt.asUintN(64, length));
  return Buffer.concat([start, Buffer.from(header), data]);
}

export function safetensorsBytes(tensors: readonly SmallTensor[]): Buffer {
  const { header, data } = layOut(tensors);
  return assemble(JSON.stringify(header), data);
}

/** @param intact - the file to be damaged where it is not the small model. */
export function hostileSafetensors(random: Random, intact?: Uint8Array): Buffer {
  const base = Buffer.from(intact ?? safetensorsBytes(smallTensors));
  if (random.float() < 0.4) return mutateBytes(random, base, 600);
  const length = Number(base.readBigUInt64LE());
  const header = JSON.parse(base.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
  const data = base.subarray(8 + length);
  const [first = '', second = ''] = Object.keys(header).filter((name) => name !== '__metadata__');
  if (random.float() < 0.15) {
    // Ranges of two tensors over one another, or a gap between them.
    const [a, b] = [header[first] as Entry, header[second] as Entry];
    b.data_offsets = b.data_offsets.map((end) => end + random.pick([-4, 4, -a.data_offsets[1]])) as [number, number];
    return assemble(JSON.stringify(header), data);
  }
  const own = ['"F64"', '"F8_E4M3"', '"I64"', '[4294967296, 4294967296, 0]', '[1,1,1,1,1,1,1,1,1,1,1,1]', '[0,8]'];
  const text = mutateJson(random, header, own);
  return random.float() < 0.15 ? assemble(text, data, random.pick(hostileNumbers)) : assemble(text, data);
}
