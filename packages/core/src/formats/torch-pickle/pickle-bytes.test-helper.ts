// Writes pickles opcode by opcode, right or wrong, for tests.

/** Opcodes and bytes; a text stands for its Latin-1 bytes. */
export function raw(...parts: (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number'
        ? Buffer.of(part)
        : typeof part === 'string'
          ? Buffer.from(part, 'latin1')
          : Buffer.from(part),
    ),
  );
}

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export const none = raw('N');
export const yes = raw(0x88);
export const no = raw(0x89);
export const emptyOrderedDict = raw(global('collections', 'OrderedDict'), ')R');

export const text = (value: string): Buffer => raw('X', u32(Buffer.byteLength(value)), Buffer.from(value));

export const float = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return raw('G', bytes);
};

/** In the shortest of the forms that CPython writes. */
export function int(value: number | bigint): Buffer {
  if (value >= 0 && value < 2 ** 8) return raw('K', Number(value));
  if (value >= 0 && value < 2 ** 16) return raw('M', Number(value) & 0xff, Number(value) >> 8);
  const wide = Buffer.alloc(9);
  wide.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  wide[8] = value < 0 ? 0xff : 0;
  if (value >= -(2 ** 31) && value < 2 ** 31) return raw('J', wide.subarray(0, 4));
  return raw(0x8a, wide.length, wide);
}

export function global(module: string, name: string): Buffer {
  return raw(`c${module}\n${name}\n`);
}

export const tuple = (...items: Uint8Array[]): Buffer => raw('(', ...items, 't');
export const list = (...items: Uint8Array[]): Buffer => raw('](', ...items, 'e');
export const call = (callee: Uint8Array, ...args: Uint8Array[]): Buffer => raw(callee, tuple(...args), 'R');

type Entries = Record<string, Uint8Array>;
const pairs = (entries: Entries): Buffer[] =>
  Object.entries(entries).flatMap(([key, value]) => [text(key), raw(value)]);

export const dict = (entries: Entries): Buffer => raw('}(', ...pairs(entries), 'u');

/** As PyTorch writes the `state_dict()` of a module: with version numbers as an attribute. */
export function stateDict(entries: Entries): Buffer {
  return raw(emptyOrderedDict, '(', ...pairs(entries), 'u', dict({ _metadata: dict({ version: int(1) }) }), 'b');
}

export interface TensorParts {
  /** @default 'FloatStorage' */
  type?: string;
  /** @default '0' */
  key?: string;
  elements: number;
  /** @default 0 */
  offset?: number;
  shape: readonly number[];
  /** @default row-major */
  strides?: readonly number[];
}

export function storage({ type = 'FloatStorage', key = '0', elements }: TensorParts): Buffer {
  return raw(tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(elements)), 'Q');
}

export function tensor(parts: TensorParts): Buffer {
  const { offset = 0, shape, strides = rowMajor(shape) } = parts;
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage(parts),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    no,
    emptyOrderedDict,
  );
}

/** A whole pickle of protocol 2. */
export const pickle = (value: Uint8Array): Buffer => raw(0x80, 2, value, '.');

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
}
