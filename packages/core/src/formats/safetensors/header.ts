// The header of a safetensors file: parsed and checked against the file's size before any tensor is read.
import { MemGenError } from '@memgen/common';
import { describeJson } from '../describe-json.js';
import { findDuplicateKey } from '../duplicate-keys.js';
import { deepestJson, isTooDeep } from '../json-depth.js';
import type { RangedFile } from '../ranged-file.js';
import type { TensorInfo } from '../tensor-source.js';
import { dtypeSizes } from './dtypes.js';

/** The limit of the reference implementation; a real header of 1000 tensors has about 100 kB. */
const longestHeader = 100_000_000;

/** A tensor and its place in the file. */
export interface StoredTensor extends TensorInfo {
  /** Of the first byte, from the start of the file. */
  readonly offset: number;
}

/** What a safetensors file says of itself. */
export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The `__metadata__` of the file. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads and checks the header: every tensor has a known type, a shape that fits its bytes, and the tensors fill the
 * file without gap or overlap.
 *
 * @throws MemGenError `safetensors-header` or `file-truncated`.
 */
export async function readSafetensorsHeader(file: RangedFile): Promise<SafetensorsHeader> {
  const length = await readHeaderLength(file);
  const entries = parseHeader(await file.read(8, length), file.path);
  const dataStart = 8 + length;
  const metadata = new Map<string, string>();
  const tensors: StoredTensor[] = [];
  for (const [name, entry] of entries) {
    if (name === '__metadata__') readMetadata(entry, metadata, file.path);
    else tensors.push(readEntry(name, entry, dataStart, file.path));
  }
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkLayout(tensors, dataStart, file);
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata };
}

async function readHeaderLength(file: RangedFile): Promise<number> {
  const start = await file.read(0, 8);
  const length = new DataView(start.buffer).getBigUint64(0, true);
  const room = Math.min(file.size - 8, longestHeader);
  if (length >= 2n && length <= BigInt(room)) return Number(length);
  throw headerError(file.path, {
    message: 'the length of the header cannot be right',
    got: `${String(length)} bytes in a file of ${file.size}`,
    expected: `2 to ${room} bytes`,
  });
}

function parseHeader(bytes: Uint8Array, path: string): [string, unknown][] {
  let parsed: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    parsed = JSON.parse(text);
  } catch (cause) {
    throw headerError(path, { message: 'the header is not JSON', got: String(cause), cause });
  }
  if (isTooDeep(text)) throw headerError(path, { message: `the header is nested deeper than ${deepestJson} levels` });
  if (!isRecord(parsed)) throw headerError(path, { message: 'the header is no JSON object' });
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined)
    throw headerError(path, { message: `the header gives ${describeJson(duplicate)} twice` });
  return Object.entries(parsed);
}

function readMetadata(entry: unknown, metadata: Map<string, string>, path: string): void {
  if (!isRecord(entry)) throw headerError(path, { message: '__metadata__ is no object' });
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string') {
      throw headerError(path, { message: `__metadata__ ${describeJson(key)} is no text`, got: typeof value });
    }
    metadata.set(key, value);
  }
}

function readEntry(name: string, entry: unknown, dataStart: number, path: string): StoredTensor {
  const fail = (got: string, expected: string): MemGenError =>
    headerError(path, { message: `the entry of tensor ${describeJson(name)} is wrong`, got, expected });
  if (!isRecord(entry)) throw fail(typeof entry, 'an object');
  const keys = Object.keys(entry).sort().join(', ');
  if (keys !== 'data_offsets, dtype, shape')
    throw fail(`the keys ${describeJson(keys)}`, 'the keys data_offsets, dtype, shape');
  const { dtype, shape, data_offsets: offsets } = entry;
  const size = typeof dtype === 'string' ? dtypeSizes.get(dtype) : undefined;
  if (typeof dtype !== 'string' || size === undefined) {
    throw fail(`dtype ${describeJson(dtype)}`, `one of ${[...dtypeSizes.keys()].join(', ')}`);
  }
  if (!isCounts(shape)) throw fail(`shape ${describeJson(shape)}`, 'a list of whole numbers');
  const [begin, end] = isCounts(offsets) && offsets.length === 2 ? offsets : [];
  if (begin === undefined || end === undefined || begin > end) {
    throw fail(`data_offsets ${describeJson(offsets)}`, '[begin, end] in bytes');
  }
  const byteLength = shape.reduce((product, count) => product * count, size);
  if (byteLength !== end - begin) {
    throw fail(`${end - begin} bytes`, `${byteLength} bytes for ${dtype} of shape ${describeJson(shape)}`);
  }
  return { name, dtype, shape, byteLength, offset: dataStart + begin };
}

function checkLayout(sorted: readonly StoredTensor[], dataStart: number, file: RangedFile): void {
  let end = dataStart;
  for (const tensor of sorted) {
    if (tensor.offset !== end) {
      throw headerError(file.path, {
        message: `tensor ${describeJson(tensor.name)} ${tensor.offset < end ? 'overlaps another one' : 'lies behind a gap'}`,
        got: `offset ${tensor.offset - dataStart}`,
        expected: `offset ${end - dataStart}`,
      });
    }
    end += tensor.byteLength;
  }
  if (end === file.size) return;
  throw new MemGenError({
    code: end > file.size ? 'file-truncated' : 'safetensors-header',
    where: file.path,
    message: end > file.size ? 'the file ends before its tensors do' : 'the file goes on after its last tensor',
    got: `${file.size} bytes`,
    expected: `${end} bytes`,
    hint: 'it was probably cut off or damaged in a download or copy; get it again',
  });
}

function headerError(path: string, details: { message: string; got?: string; expected?: string; cause?: unknown }) {
  return new MemGenError({
    code: 'safetensors-header',
    where: path,
    hint: 'this is no safetensors file or it is damaged; get it again',
    ...details,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && Number(item) >= 0);
}
