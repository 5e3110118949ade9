// Writes a safetensors file: deterministic, streamed tensor by tensor, renamed into place when complete.
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { dtypeSizes } from './dtypes.js';
import { narrow, type WeightDtype } from './narrow-floats.js';

/** A tensor to be stored. */
export interface TensorToWrite {
  name: string;
  shape: readonly number[];
  /** Row-major. */
  data: Float32Array;
  /** How to store it; narrower types round to nearest even. @default 'F32' */
  dtype?: WeightDtype;
}

type Plan = Required<TensorToWrite> & { byteLength: number };

const pieceElements = 2 ** 20;

/**
 * Writes tensors in the order of the reference implementation (widest type first, then by name), so that equal tensors
 * give equal bytes whatever the order of `tensors`.
 *
 * @param metadata - stored as `__metadata__`; other tools want `format`, so it is there by default.
 * @throws MemGenError `tensor-shape`, `tensor-name`, `tensor-overflow` (a finite value that F16 or BF16 cannot hold), or
 * what {@link writeFileAtomically} gives. The file that was there before is then untouched.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  { metadata = { format: 'pt' } }: { metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const plans = tensors.map((tensor) => plan(tensor, path));
  plans.sort((a, b) => (dtypeSizes.get(b.dtype) ?? 0) - (dtypeSizes.get(a.dtype) ?? 0) || compare(a.name, b.name));
  await writeFileAtomically(path, pieces(plans, metadata, path));
}

function plan({ name, shape, data, dtype = 'F32' }: TensorToWrite, path: string): Plan {
  const elements = shape.reduce((product, count) => product * count, 1);
  const isShape = shape.every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!isShape || elements !== data.length) {
    throw new MemGenError({
      code: 'tensor-shape',
      where: `${path}, tensor "${name}"`,
      message: 'the shape does not fit the data',
      got: `${data.length} values`,
      expected: `${elements} for the shape [${shape.join(', ')}]`,
    });
  }
  return { name, shape, data, dtype, byteLength: elements * (dtypeSizes.get(dtype) ?? 0) };
}

function* pieces(plans: readonly Plan[], metadata: Readonly<Record<string, string>>, path: string) {
  yield header(plans, metadata, path);
  for (const { name, data, dtype } of plans) {
    for (let start = 0; start < data.length; start += pieceElements) {
      const piece = data.subarray(start, start + pieceElements);
      if (dtype === 'F32') yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
      else yield narrow(piece, dtype, `${path}, tensor "${name}"`);
    }
  }
}

function header(plans: readonly Plan[], metadata: Readonly<Record<string, string>>, path: string): Uint8Array {
  // Written by hand because an object would reorder names such as "0" and lose "__proto__".
  const entries: string[] = [];
  const sortedMetadata = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  if (sortedMetadata.length > 0) entries.push(`"__metadata__":${objectOf(sortedMetadata)}`);
  const names = new Set(['__metadata__']);
  let offset = 0;
  for (const { name, dtype, shape, byteLength } of plans) {
    if (names.has(name)) {
      throw new MemGenError({ code: 'tensor-name', where: path, message: `the name "${name}" is taken or reserved` });
    }
    names.add(name);
    const end = offset + byteLength;
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  // Spaces up to a multiple of 8, so that the tensors are aligned for memory mapping.
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
}

function objectOf(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
}

/** By code units, which unlike localeCompare is the same everywhere. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
