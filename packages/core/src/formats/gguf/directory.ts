// The header of a GGUF file: metadata and the directory of its tensors, checked against the file's size.
import { MemGenError } from '@memgen/common';
import type { RangedFile } from '../ranged-file.js';
import { blockTypes, otherTypeNames, type BlockType } from './block-types.js';
import { ByteCursor } from './byte-cursor.js';
import { readMetadata, type GgufMetadata } from './metadata.js';

/** A tensor under its own name, with its place in the file. */
export interface GgufEntry {
  readonly name: string;
  readonly type: BlockType;
  /** Row-major, outermost first: the reverse of how the file writes it. */
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Of the first byte, from the start of the file. */
  readonly offset: number;
}

export interface GgufDirectory {
  readonly metadata: GgufMetadata;
  readonly entries: readonly GgufEntry[];
}

const mostTensors = 2 ** 16;
const longestName = 2 ** 10;
const mostDimensions = 4;

/** @throws MemGenError `gguf-header`, `gguf-tensor`, `file-truncated`. */
export async function readDirectory(file: RangedFile): Promise<GgufDirectory> {
  const cursor = new ByteCursor(file);
  const { tensorCount, pairCount } = await readCounts(cursor);
  const metadata = await readMetadata(cursor, pairCount);
  const places: Place[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const place = await readPlace(cursor);
    if (names.has(place.name)) throw cursor.error(`the tensor "${place.name}" is given twice`);
    names.add(place.name);
    places.push(place);
  }
  const alignment = readAlignment(metadata, cursor);
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  const entries = places.map((place) => locate(place, { dataStart, alignment, file }));
  checkOverlap(entries, file.path);
  return { metadata, entries };
}

async function readCounts(cursor: ByteCursor): Promise<{ tensorCount: number; pairCount: number }> {
  const magic = await cursor.bytes(4);
  if (String.fromCharCode(...magic) !== 'GGUF') {
    throw cursor.error(
      'this is no GGUF file',
      `first bytes ${Buffer.from(magic).toString('hex')}`,
      '47475546 ("GGUF")',
    );
  }
  const version = await cursor.uint32();
  if (version !== 2 && version !== 3) {
    // A big-endian file has its small version number in the upper bytes.
    const swapped = version > 0xffff ? ' (a big-endian file?)' : '';
    throw cursor.error('this version of GGUF cannot be read', `version ${version}${swapped}`, 'version 2 or 3');
  }
  const tensorCount = await cursor.uint64('the number of tensors');
  if (tensorCount > mostTensors) throw cursor.error('the file claims too many tensors', String(tensorCount));
  return { tensorCount, pairCount: await cursor.uint64('the number of keys') };
}

type Place = Pick<GgufEntry, 'name' | 'shape'> & { typeNumber: number; relativeOffset: number };

async function readPlace(cursor: ByteCursor): Promise<Place> {
  const name = await cursor.text(longestName, 'the name of a tensor');
  const rank = await cursor.uint32();
  if (rank > mostDimensions) {
    throw cursor.error(`the tensor "${name}" has too many dimensions`, String(rank), `at most ${mostDimensions}`);
  }
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.unshift(await cursor.uint64(`a dimension of "${name}"`));
  const typeNumber = await cursor.uint32();
  return { name, shape, typeNumber, relativeOffset: await cursor.uint64(`the offset of "${name}"`) };
}

function readAlignment(metadata: GgufMetadata, cursor: ByteCursor): number {
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment === 'number' && alignment > 0 && alignment <= 2 ** 20 && alignment % 8 === 0) return alignment;
  throw cursor.error('general.alignment is wrong', String(alignment), 'a multiple of 8, at most 1048576');
}

function locate(
  { name, shape, typeNumber, relativeOffset }: Place,
  { dataStart, alignment, file }: { dataStart: number; alignment: number; file: RangedFile },
): GgufEntry {
  const type = blockTypes.get(typeNumber);
  if (type === undefined) throw unsupportedType(name, typeNumber, file.path);
  const fail = (message: string, got: string, expected: string): MemGenError =>
    new MemGenError({
      code: 'gguf-tensor',
      where: `${file.path}, tensor "${name}"`,
      message,
      got,
      expected,
      hint: 'the file is damaged; get it again',
    });
  const elements = shape.reduce((product, count) => product * count, 1);
  const rowLength = shape.at(-1) ?? 1;
  if (!Number.isSafeInteger(elements) || rowLength % type.elements !== 0) {
    throw fail(
      'the shape is impossible',
      `[${shape.join(', ')}]`,
      `rows of whole ${type.name} blocks (${type.elements})`,
    );
  }
  if (relativeOffset % alignment !== 0) {
    throw fail('the offset is not aligned', String(relativeOffset), `a multiple of ${alignment}`);
  }
  const byteLength = (elements / type.elements) * type.bytes;
  const offset = dataStart + relativeOffset;
  if (offset + byteLength > file.size) {
    throw fail('the file ends before this tensor does', `${file.size} bytes`, `at least ${offset + byteLength} bytes`);
  }
  return { name, type, shape, byteLength, offset };
}

function checkOverlap(entries: readonly GgufEntry[], path: string): void {
  const sorted = [...entries].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = 0;
  for (const entry of sorted) {
    if (entry.offset < end) {
      throw new MemGenError({
        code: 'gguf-tensor',
        where: `${path}, tensor "${entry.name}"`,
        message: 'this tensor overlaps another one',
        hint: 'the file is damaged; get it again',
      });
    }
    end = entry.offset + entry.byteLength;
  }
}

function unsupportedType(name: string, typeNumber: number, path: string): MemGenError {
  return new MemGenError({
    code: 'gguf-type',
    where: `${path}, tensor "${name}"`,
    message: 'tensors of this quantisation cannot be read',
    got: otherTypeNames.get(typeNumber) ?? `type ${typeNumber}`,
    expected: [...blockTypes.values()].map((type) => type.name).join(', '),
    hint: 'take another file of the same model, for example Q8_0 or Q4_K_M, or its Hugging Face folder',
  });
}
