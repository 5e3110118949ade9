// Writes zip files and checkpoints byte by byte, right or wrong, for tests.
import { deflateRawSync } from 'node:zlib';
import { pickle } from './pickle-bytes.test-helper.js';

export interface Member {
  name: string;
  data: Uint8Array;
  /** @default false */
  deflate?: boolean;
  /** Lies of the directory. */
  claims?: { byteLength?: number; storedLength?: number; offset?: number; flags?: number; method?: number };
}

interface ZipOptions {
  /** Sizes and offsets in 64 bits throughout. @default false */
  zip64?: boolean;
  /** Number of members that the directory claims. */
  count?: number;
}

const u16 = (value: number): number[] => [value & 0xff, value >> 8];
const u32 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const u64 = (value: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
const join = (...parts: (Uint8Array | number[])[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

export function zipBytes(members: readonly Member[], { zip64 = false, count = members.length }: ZipOptions = {}) {
  const bodies: Buffer[] = [];
  const records: Buffer[] = [];
  let end = 0;
  for (const { name, data, deflate = false, claims = {} } of members) {
    const stored = deflate ? deflateRawSync(data) : data;
    const { byteLength = data.length, storedLength = stored.length, offset = end, flags = 0 } = claims;
    const method = claims.method ?? (deflate ? 8 : 0);
    const fileName = Buffer.from(name);
    const common = (sizes: Uint8Array, extra: Uint8Array) =>
      join(u16(20), u16(flags), u16(method), u32(0), u32(0), sizes, u16(fileName.length), u16(extra.length));
    const sizes = join(u32(storedLength), u32(byteLength));
    // PyTorch fills up with an extra field, so that storages are aligned.
    const padding = join(Buffer.from('FB'), u16(3), Buffer.from('ZZZ'));
    const body = join(Buffer.from('PK\x03\x04'), common(sizes, padding), fileName, padding, stored);
    bodies.push(body);
    const wide = zip64 ? join(u16(1), u16(24), u64(byteLength), u64(storedLength), u64(offset)) : Buffer.alloc(0);
    const full = u32(0xffffffff);
    const directorySizes = zip64 ? join(full, full) : sizes;
    const rest = join(u16(0), u16(0), u16(0), u32(0), zip64 ? full : u32(offset));
    records.push(join(Buffer.from('PK\x01\x02'), u16(20), common(directorySizes, wide), rest, fileName, wide));
    end += body.length;
  }
  const directory = Buffer.concat(records);
  const tail = zip64 ? zip64Tail(count, directory.length, end) : Buffer.alloc(0);
  const total = zip64 ? 0xffff : count;
  const place = zip64 ? [u32(0xffffffff), u32(0xffffffff)] : [u32(directory.length), u32(end)];
  const footer = join(Buffer.from('PK\x05\x06'), u32(0), u16(total), u16(total), ...place, u16(0));
  return Buffer.concat([...bodies, directory, tail, footer]);
}

function zip64Tail(count: number, directoryLength: number, directoryStart: number): Buffer {
  const record = join(Buffer.from('PK\x06\x06'), u64(44), u16(45), u16(45), u32(0), u32(0), u64(count), u64(count));
  const locator = join(Buffer.from('PK\x06\x07'), u32(0), u64(directoryStart + directoryLength), u32(1));
  return join(record, u64(directoryLength), u64(directoryStart), locator);
}

export interface Checkpoint {
  /** The value of the pickle, or a whole pickle of another kind. */
  value?: Uint8Array;
  pickle?: Uint8Array;
  /** By number. */
  storages?: readonly Uint8Array[];
  /** Compress all members. @default false */
  deflate?: boolean;
  /** @default 'little' */
  byteOrder?: string | undefined;
  /** Members besides, by their full names. */
  others?: readonly Member[];
}

/** The members of a checkpoint as torch.save lays them out, in the folder `model`. */
export function checkpointMembers(checkpoint: Checkpoint): Member[] {
  const { value = Buffer.from('}'), storages = [], deflate = false, others = [] } = checkpoint;
  const byteOrder = 'byteOrder' in checkpoint ? checkpoint.byteOrder : 'little';
  return [
    { name: 'model/data.pkl', data: checkpoint.pickle ?? pickle(value), deflate },
    ...(byteOrder === undefined ? [] : [{ name: 'model/byteorder', data: Buffer.from(byteOrder) }]),
    ...storages.map((data, i) => ({ name: `model/data/${i}`, data, deflate })),
    { name: 'model/version', data: Buffer.from('3\n') },
    ...others,
  ];
}

export function checkpointBytes(checkpoint: Checkpoint): Buffer {
  return zipBytes(checkpointMembers(checkpoint));
}

/** The bytes of a typed array. */
export const bytesOf = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
