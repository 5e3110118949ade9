// One open PyTorch checkpoint, read without running anything in it.
import { MemGenError } from '@memgen/common';
import { RangedFile } from '../ranged-file.js';
import { decodeFloats, decodeNumbers, dtypeSizes, isFloatDtype } from '../safetensors/dtypes.js';
import { missingTensor } from '../missing-tensor.js';
import type { TensorInfo, TensorSource } from '../tensor-source.js';
import { flattenCheckpoint } from './flatten.js';
import { allowance, limits } from './limits.js';
import { PickleBytes } from './pickle-bytes.js';
import { readPickle } from './pickle-machine.js';
import type { PickleScalar, PickleTensor } from './pickle-values.js';
import { torchPickleError } from './problem.js';
import { gatherView, isRowMajor, viewSize, viewSpan } from './strided-view.js';
import { TorchVocabulary } from './torch-vocabulary.js';
import { readMember, readZipMembers, type ZipMember } from './zip-members.js';
import { refuseOtherFormats } from './other-formats.js';

/** Converted a piece at a time, so that a bfloat16 tensor needs no second buffer of its own size. */
const pieceElements = 2 ** 20;

interface StoredTensor extends TensorInfo {
  readonly stored: PickleTensor;
}

/**
 * Tensors go by their dotted names, as in `state_dict.model.norm.weight`; `dtype` is what safetensors calls the element
 * type, so that a checkpoint is converted by copying {@link TorchPickleFile.readRaw}.
 */
export class TorchPickleFile implements TensorSource {
  private constructor(
    private readonly file: RangedFile,
    readonly tensors: ReadonlyMap<string, StoredTensor>,
    /** The plain values beside the tensors, by dotted names: step counters, hyperparameters, names of types. */
    readonly metadata: ReadonlyMap<string, PickleScalar>,
  ) {}

  get path(): string {
    return this.file.path;
  }

  static async open(path: string): Promise<TorchPickleFile> {
    const file = await RangedFile.open(path);
    try {
      await refuseOtherFormats(file);
      const members = await readZipMembers(file);
      await checkByteOrder(file, members);
      const { tensors, scalars } = await readCheckpoint(file, members);
      const described = [...tensors].map(([name, tensor]) => [name, describeTensor(name, tensor)] as const);
      checkTotal(described, file);
      return new TorchPickleFile(file, new Map(described), scalars);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async readFloat32(name: string): Promise<Float32Array> {
    const { dtype, stored } = this.find(name);
    if (!isFloatDtype(dtype)) {
      throw new MemGenError({
        code: 'tensor-type',
        where: `${this.path}, tensor "${name}"`,
        message: 'this tensor cannot be read as float32',
        got: dtype,
        expected: 'F32, BF16, F16 or F64',
        hint: 'integers are read with readNumbers',
      });
    }
    const values = new Float32Array(viewSize(stored.view));
    const size = elementBytes(dtype);
    const inPlace = isRowMajor(stored.view) && !stored.storage.member.deflated;
    if (!inPlace) {
      decodeFloats(await this.readRaw(name), dtype, values);
      return values;
    }
    const offset = stored.storage.member.offset + stored.view.offset * size;
    if (dtype === 'F32') {
      await this.file.readInto(new Uint8Array(values.buffer), offset);
      return values;
    }
    for (let start = 0; start < values.length; start += pieceElements) {
      const piece = values.subarray(start, start + pieceElements);
      decodeFloats(await this.file.read(offset + start * size, piece.length * size), dtype, piece);
    }
    return values;
  }

  /** The bytes of one tensor of any type, little-endian, row-major. */
  async readRaw(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { dtype, stored } = this.find(name);
    const { storage, view } = stored;
    const size = elementBytes(dtype);
    const length = viewSpan(view) * size;
    if (length === 0) return new Uint8Array(0);
    const start = view.offset * size;
    const span = storage.member.deflated
      ? (await readMember(this.file, storage.member)).slice(start, start + length)
      : await this.file.read(storage.member.offset + start, length);
    return isRowMajor(view) ? span : gatherView(span, view, size);
  }

  /** The elements of one tensor of any type as numbers, exact. */
  async readNumbers(name: string): Promise<number[]> {
    return decodeNumbers(await this.readRaw(name), this.find(name).dtype, name);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private find(name: string): StoredTensor {
    const tensor = this.tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw missingTensor(name, this.path, this.tensors.keys());
  }
}

/**
 * Opens a checkpoint that `torch.save` of PyTorch 1.6 or later has written (`.bin`, `.pt`, `.pth`): a dictionary of
 * tensors, possibly of dictionaries of them. Nothing in the file is run or imported: the pickle is read by a machine
 * that knows tensors, dictionaries, lists and plain values, and refuses the rest by name. Only the directory and the
 * pickle are read. The caller closes.
 *
 * @throws MemGenError `torch-pickle-archive`, `torch-pickle-legacy`, `torch-pickle-opcode`, `torch-pickle-global`,
 * `torch-pickle-data`, `torch-pickle-tensor`, `torch-pickle-limit`, `file-truncated`, `file-not-found`.
 */
export function openTorchPickle(path: string): Promise<TorchPickleFile> {
  return TorchPickleFile.open(path);
}

async function checkByteOrder(file: RangedFile, members: ReadonlyMap<string, ZipMember>): Promise<void> {
  const member = members.get('byteorder');
  // PyTorch before 2.1 does not say it.
  if (member === undefined) return;
  const order = member.byteLength > 16 ? undefined : Buffer.from(await readMember(file, member)).toString('latin1');
  if (order === 'little') return;
  throw torchPickleError(file.path, {
    kind: 'archive',
    message: 'only numbers in little-endian byte order can be read',
    got: order === undefined ? `${member.byteLength} bytes` : JSON.stringify(order),
    expected: '"little"',
    hint: 'save the checkpoint again on an ordinary machine',
  });
}

async function readCheckpoint(file: RangedFile, members: ReadonlyMap<string, ZipMember>) {
  const member = members.get('data.pkl');
  if (member === undefined || members.has('constants.pkl')) {
    throw torchPickleError(file.path, {
      kind: 'archive',
      message: member === undefined ? 'the zip file holds no data.pkl' : 'this is a TorchScript program',
      got: [...members.keys()].slice(0, 5).join(', ') || 'an empty zip file',
      expected: 'a checkpoint written by torch.save',
      hint: 'save the state_dict() of the model with torch.save',
    });
  }
  if (member.byteLength > limits.pickleBytes) {
    throw torchPickleError(`${file.path}, data.pkl`, {
      kind: 'limit',
      message: 'the pickle is too large',
      got: `${member.byteLength} bytes`,
      expected: `at most ${limits.pickleBytes}`,
    });
  }
  const bytes = new PickleBytes(await readMember(file, member), file.path);
  return flattenCheckpoint(readPickle(bytes, new TorchVocabulary(members)), file.path);
}

function describeTensor(name: string, stored: PickleTensor): StoredTensor {
  const { dtype } = stored.storage;
  const byteLength = viewSize(stored.view) * elementBytes(dtype);
  return { name, dtype, shape: stored.view.shape, byteLength, stored };
}

/** Tensors that share a storage are each read by themselves: a small file must not mean endless reading. */
function checkTotal(tensors: readonly (readonly [string, StoredTensor])[], file: RangedFile): void {
  let total = 0;
  for (const [, { dtype, stored }] of tensors) {
    const { member } = stored.storage;
    total += member.deflated ? member.byteLength : viewSpan(stored.view) * elementBytes(dtype);
  }
  const most = allowance(file.size, limits.readRatio);
  if (total <= most) return;
  throw torchPickleError(file.path, {
    kind: 'limit',
    message: 'the tensors share their storages far too often',
    got: `${total} bytes to read in a file of ${file.size}`,
    expected: `at most ${most}`,
  });
}

function elementBytes(dtype: string): number {
  return dtypeSizes.get(dtype) ?? 1;
}
