// The tensors of a GGUF file and their places, checked against the file's size.
import { MemGenError } from '@memgen/common';
import type { RangedFile } from '../ranged-file.js';
import { blockTypes, otherTypeNames, type BlockType } from './block-types.js';
import { readGgufHeader, type GgufHeader, type GgufPlace } from './header.js';
import type { GgufMetadata } from './metadata.js';

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

/** @throws MemGenError `gguf-header`, `gguf-tensor`, `gguf-type`, `file-truncated`. */
export async function readDirectory(file: RangedFile): Promise<GgufDirectory> {
  const header = await readGgufHeader(file);
  const entries = header.places.map((place) => locate(place, header, file));
  checkOverlap(entries, file.path);
  return { metadata: header.metadata, entries };
}

function locate(
  { name, shape, typeNumber, relativeOffset }: GgufPlace,
  { dataStart, alignment }: GgufHeader,
  file: RangedFile,
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
  // An empty tensor is in no model; next to a 0 the other dimensions could be anything.
  if (!Number.isSafeInteger(elements) || elements === 0 || rowLength % type.elements !== 0) {
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
