// The typed key-value pairs at the start of a GGUF file.
import type { ByteCursor } from './byte-cursor.js';

/** One value; 64-bit integers beyond 2^53 are bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** All pairs of a file, in its order. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

// Limits against files that lie. The largest real ones: about 100 keys, 262 144 tokens, 500 000 merges.
const mostPairs = 2 ** 16;
const mostElements = 2 ** 24;
const longestKey = 2 ** 16;
const longestText = 2 ** 24;
const deepestArray = 4;

const textType = 8;
const arrayType = 9;

/** The types of fixed size: bytes of one element and how to read it. */
const numberTypes = new Map<number, { size: number; read: (view: DataView, at: number) => number | bigint | boolean }>([
  [0, { size: 1, read: (view, at) => view.getUint8(at) }],
  [1, { size: 1, read: (view, at) => view.getInt8(at) }],
  [2, { size: 2, read: (view, at) => view.getUint16(at, true) }],
  [3, { size: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { size: 4, read: (view, at) => view.getUint32(at, true) }],
  [5, { size: 4, read: (view, at) => view.getInt32(at, true) }],
  [6, { size: 4, read: (view, at) => view.getFloat32(at, true) }],
  [7, { size: 1, read: (view, at) => view.getUint8(at) !== 0 }],
  [10, { size: 8, read: (view, at) => toNumber(view.getBigUint64(at, true)) }],
  [11, { size: 8, read: (view, at) => toNumber(view.getBigInt64(at, true)) }],
  [12, { size: 8, read: (view, at) => view.getFloat64(at, true) }],
]);

/** Reads `count` pairs. @throws MemGenError `gguf-header`, `file-truncated`. */
export async function readMetadata(cursor: ByteCursor, count: number): Promise<GgufMetadata> {
  if (count > mostPairs) throw cursor.error('the file claims too many keys', String(count), `at most ${mostPairs}`);
  const metadata = new Map<string, GgufValue>();
  const budget = { elements: mostElements };
  for (let i = 0; i < count; i++) {
    const key = await cursor.text(longestKey, 'a key');
    if (metadata.has(key)) throw cursor.error(`the key "${key}" is given twice`);
    metadata.set(key, await readValue(cursor, await cursor.uint32(), key, budget, 0));
  }
  return metadata;
}

async function readValue(
  cursor: ByteCursor,
  type: number,
  key: string,
  budget: { elements: number },
  depth: number,
): Promise<GgufValue> {
  if (type === textType) return cursor.text(longestText, `the text of "${key}"`);
  if (type === arrayType) return readArray(cursor, key, budget, depth);
  return (await readNumbers(cursor, type, 1, key))[0]!;
}

async function readArray(
  cursor: ByteCursor,
  key: string,
  budget: { elements: number },
  depth: number,
): Promise<GgufValue[]> {
  const type = await cursor.uint32();
  const count = await cursor.uint64(`the length of "${key}"`);
  budget.elements -= count;
  if (budget.elements < 0) throw cursor.error(`the list "${key}" is too long`, `${count} elements`);
  if (depth >= deepestArray) throw cursor.error(`the list "${key}" is nested too deeply`);
  if (type !== textType && type !== arrayType) return readNumbers(cursor, type, count, key);
  const values: GgufValue[] = [];
  for (let i = 0; i < count; i++) values.push(await readValue(cursor, type, key, budget, depth + 1));
  return values;
}

async function readNumbers(cursor: ByteCursor, type: number, count: number, key: string) {
  const numbers = numberTypes.get(type);
  if (numbers === undefined) throw cursor.error(`the value of "${key}" has an unknown type`, `type ${type}`, '0 to 12');
  const bytes = await cursor.bytes(count * numbers.size);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, i) => numbers.read(view, i * numbers.size));
}

function toNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
