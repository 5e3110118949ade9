// Writes a safetensors file from tensors that are made one at a time, so that a whole model is never in memory.
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { dtypeSizes } from './dtypes.js';

/** A tensor that is read when its turn comes. */
export interface StreamedTensor {
  name: string;
  /** As safetensors calls it, e.g. `BF16`. */
  dtype: string;
  shape: readonly number[];
  /** Its bytes, little-endian and row-major, in pieces of any length. Called once. */
  pieces: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface StreamSafetensorsOptions {
  /** Stored as `__metadata__`. @default {format: 'pt'}, which other tools want */
  metadata?: Readonly<Record<string, string>>;
  /** Called after every piece. */
  onWritten?: ((writtenBytes: number, totalBytes: number) => void) | undefined;
}

/**
 * Writes the tensors in the order of the reference implementation: widest type first, then by name.
 *
 * @returns bytes of the tensors.
 * @throws MemGenError `tensor-name` for a name given twice, `tensor-shape` for pieces that do not fit the shape, or what
 * `writeFileAtomically` gives; an error of `pieces` passes through. What was there before is then untouched.
 */
export async function streamSafetensors(
  path: string,
  tensors: readonly StreamedTensor[],
  { metadata = { format: 'pt' }, onWritten }: StreamSafetensorsOptions = {},
): Promise<number> {
  const sorted = tensors
    .map((tensor) => ({ ...tensor, byteLength: byteLengthOf(tensor) }))
    .sort((a, b) => sizeOf(b.dtype) - sizeOf(a.dtype) || compare(a.name, b.name));
  const total = sorted.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let written = 0;

  async function* content(): AsyncGenerator<Uint8Array> {
    yield header(sorted, metadata, path);
    for (const { name, byteLength, pieces } of sorted) {
      const end = written + byteLength;
      for await (const piece of pieces()) {
        written += piece.length;
        if (written > end) break;
        yield piece;
        onWritten?.(written, total);
      }
      if (written === end) continue;
      throw new MemGenError({
        code: 'tensor-shape',
        where: `${path}, tensor "${name}"`,
        message: 'the shape does not fit the data',
        got: `${written > end ? 'more than ' : ''}${byteLength - Math.max(end - written, 0)} bytes`,
        expected: `${byteLength} bytes`,
      });
    }
  }
  await writeFileAtomically(path, content());
  return total;
}

function header(
  tensors: readonly (StreamedTensor & { byteLength: number })[],
  metadata: Readonly<Record<string, string>>,
  path: string,
): Uint8Array {
  const names = new Set(['__metadata__']);
  // By hand, because an object would reorder names such as "0" and lose "__proto__".
  const entries = Object.keys(metadata).length > 0 ? [`"__metadata__":${sortedObject(metadata)}`] : [];
  let offset = 0;
  for (const { name, dtype, shape, byteLength } of tensors) {
    if (names.has(name)) {
      throw new MemGenError({ code: 'tensor-name', where: path, message: `the name "${name}" is taken or reserved` });
    }
    names.add(name);
    const place = { dtype, shape, data_offsets: [offset, offset + byteLength] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(place)}`);
    offset += byteLength;
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  // Spaces up to a multiple of 8, so that the tensors are aligned for memory mapping.
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

function sortedObject(entries: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(entries).sort(([a], [b]) => compare(a, b));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
}

function byteLengthOf({ dtype, shape }: StreamedTensor): number {
  return shape.reduce((product, size) => product * size, sizeOf(dtype));
}

function sizeOf(dtype: string): number {
  return dtypeSizes.get(dtype) ?? 0;
}

/** By code units, which unlike localeCompare is the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
