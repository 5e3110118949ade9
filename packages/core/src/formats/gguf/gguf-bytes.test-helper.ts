// Builds GGUF bytes, right or wrong, for tests.

type Value = { type: number; bytes: Buffer };

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

export const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

export const textValue = (value: string): Value => ({ type: 8, bytes: text(value) });
export const u32Value = (value: number): Value => ({ type: 4, bytes: u32(value) });
export const u32sValue = (values: readonly number[]): Value => ({
  type: 9,
  bytes: Buffer.concat([u32(4), u64(values.length), ...values.map(u32)]),
});

export interface GgufParts {
  magic?: string;
  version?: number;
  tensorCount?: number | bigint;
  pairCount?: number | bigint;
  pairs?: readonly (readonly [string, Value])[];
  /** Dimensions innermost first, as in the file. */
  tensors?: readonly {
    name: string;
    dimensions: readonly (number | bigint)[];
    type: number;
    offset: number | bigint;
  }[];
  data?: Uint8Array;
}

export function ggufBytes({
  magic = 'GGUF',
  version = 3,
  pairs = [],
  tensors = [],
  tensorCount = tensors.length,
  pairCount = pairs.length,
  data = new Uint8Array(0),
}: GgufParts): Buffer {
  const head = Buffer.concat([
    Buffer.from(magic),
    u32(version),
    u64(tensorCount),
    u64(pairCount),
    ...pairs.flatMap(([key, value]) => [text(key), u32(value.type), value.bytes]),
    ...tensors.flatMap(({ name, dimensions, type, offset }) => [
      text(name),
      u32(dimensions.length),
      ...dimensions.map(u64),
      u32(type),
      u64(offset),
    ]),
  ]);
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), data]);
}
