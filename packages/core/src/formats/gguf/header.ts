// The front part of a GGUF file as it stands there: metadata, and what it says of its tensors.
import type { RangedFile } from '../ranged-file.js';
import { ByteCursor } from './byte-cursor.js';
import { readMetadata, type GgufMetadata } from './metadata.js';

/** A tensor under its own name, as the file describes it; whether that can be is not checked. */
export interface GgufPlace {
  readonly name: string;
  /** Row-major, outermost first: the reverse of how the file writes it. */
  readonly shape: readonly number[];
  readonly typeNumber: number;
  /** From {@link GgufHeader.dataStart} on. */
  readonly relativeOffset: number;
}

export interface GgufHeader {
  readonly metadata: GgufMetadata;
  /** By different names. */
  readonly places: readonly GgufPlace[];
  readonly alignment: number;
  /** Where the first tensor may begin, from the start of the file. */
  readonly dataStart: number;
}

const mostTensors = 2 ** 16;
const longestName = 2 ** 10;
const mostDimensions = 4;

/** @throws MemGenError `gguf-header`, `file-truncated`. */
export async function readGgufHeader(file: RangedFile): Promise<GgufHeader> {
  const cursor = new ByteCursor(file);
  const { tensorCount, pairCount } = await readCounts(cursor);
  const metadata = await readMetadata(cursor, pairCount);
  const places = new Map<string, GgufPlace>();
  for (let i = 0; i < tensorCount; i++) {
    const place = await readPlace(cursor);
    if (places.has(place.name)) throw cursor.error(`the tensor "${place.name}" is given twice`);
    places.set(place.name, place);
  }
  const alignment = readAlignment(metadata, cursor);
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment;
  return { metadata, places: [...places.values()], alignment, dataStart };
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

async function readPlace(cursor: ByteCursor): Promise<GgufPlace> {
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
