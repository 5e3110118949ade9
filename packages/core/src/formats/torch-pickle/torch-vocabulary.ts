// What a checkpoint may name and call: an allow-list of PyTorch's storages and tensor builders, done in our own code.
import { dtypeSizes } from '../safetensors/dtypes.js';
import { limits } from './limits.js';
import type { PickleVocabulary } from './pickle-machine.js';
import {
  describeValue,
  describeValues,
  isObject,
  type PickleGlobal,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './pickle-values.js';
import { quote, type Fail } from './problem.js';
import { findViewProblem, type StridedView } from './strided-view.js';
import type { ZipMember } from './zip-members.js';

/** Storage classes by what safetensors calls their element type. */
const storageTypes: ReadonlyMap<string, string> = new Map([
  ['torch DoubleStorage', 'F64'],
  ['torch FloatStorage', 'F32'],
  ['torch HalfStorage', 'F16'],
  ['torch BFloat16Storage', 'BF16'],
  ['torch LongStorage', 'I64'],
  ['torch IntStorage', 'I32'],
  ['torch ShortStorage', 'I16'],
  ['torch CharStorage', 'I8'],
  ['torch ByteStorage', 'U8'],
  ['torch BoolStorage', 'BOOL'],
]);

type Builder = (args: readonly PickleValue[], fail: Fail) => PickleValue;

const builders: ReadonlyMap<string, Builder> = new Map([
  ['torch._utils _rebuild_tensor_v2', rebuildTensor],
  ['torch._utils _rebuild_parameter', rebuildParameter],
  ['collections OrderedDict', makeOrderedDict],
  ['torch Size', makeSize],
]);

/** Names of element types, which configurations beside the tensors may mention. */
const dtypeNames: ReadonlySet<string> = new Set(
  ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'].map(
    (name) => `torch ${name}`,
  ),
);

/** Whether a global is the name of an element type, e.g. `torch float32`. */
export function isDtypeName(name: string): boolean {
  return dtypeNames.has(name);
}

/** The vocabulary of one checkpoint, whose storages are the members `data/...` of its zip file. */
export class TorchVocabulary implements PickleVocabulary {
  constructor(private readonly members: ReadonlyMap<string, ZipMember>) {}

  global(name: string, fail: Fail): PickleGlobal {
    if (storageTypes.has(name) || builders.has(name) || dtypeNames.has(name)) return { kind: 'global', name };
    throw fail({
      kind: 'global',
      message: 'the pickle asks for a Python object that is not on the list of harmless ones',
      got: quote(name),
      expected: 'tensors of the usual types in dictionaries',
    });
  }

  call(callee: PickleGlobal, args: readonly PickleValue[], fail: Fail): PickleValue {
    const build = builders.get(callee.name);
    if (build !== undefined) return build(args, fail);
    throw fail({ kind: 'global', message: 'the pickle calls something that is no function', got: callee.name });
  }

  /** `('storage', class, key, device, number of elements)`; the device does not matter. */
  persistent(id: PickleValue, fail: Fail): PickleStorage {
    const items = isObject(id) && id.kind === 'tuple' ? id.items : [];
    const [what, type = null, key, device, elements] = items;
    const named = isObject(type) && type.kind === 'global' ? storageTypes.get(type.name) : undefined;
    if (items.length !== 5 || what !== 'storage' || typeof key !== 'string' || typeof device !== 'string') {
      throw fail({ kind: 'data', message: 'a persistent id is no storage', got: describeValues(items) });
    }
    if (named === undefined) {
      throw fail({ kind: 'global', message: 'this storage class is not known', got: describeValue(type) });
    }
    if (!isCount(elements)) throw fail({ kind: 'data', message: 'the size of a storage is no whole number' });
    const member = this.members.get(`data/${key}`);
    if (member === undefined) {
      throw fail({
        kind: 'data',
        message: `the storage ${quote(key)} is not in the zip file`,
        got: `device ${quote(device)}`,
      });
    }
    const byteLength = elements * (dtypeSizes.get(named) ?? 1);
    if (byteLength !== member.byteLength) {
      throw fail({
        kind: 'tensor',
        message: `the storage ${quote(key)} does not have the size that it should have`,
        got: `${member.byteLength} bytes`,
        expected: `${byteLength} bytes for ${elements} elements of type ${named}`,
      });
    }
    return { kind: 'storage', dtype: named, elements, member };
  }
}

/** `(storage, offset, shape, strides, requires_grad, hooks[, metadata])` */
function rebuildTensor(args: readonly PickleValue[], fail: Fail): PickleTensor {
  const [storage = null, offset, shape = null, strides = null, , , metadata = null] = args;
  if (args.length < 6 || args.length > 7 || !isObject(storage) || storage.kind !== 'storage' || !isCount(offset)) {
    throw fail({
      kind: 'data',
      message: 'the arguments of a tensor are wrong',
      got: describeValues(args),
      expected: 'storage, offset, shape, strides, requires_grad, hooks',
    });
  }
  const hasMetadata = isObject(metadata) ? metadata.kind !== 'dict' || metadata.pairs.length > 0 : metadata !== null;
  // It may say that the numbers are to be negated or conjugated when they are read.
  if (hasMetadata) throw fail({ kind: 'data', message: 'a tensor carries metadata that is not understood' });
  const view: StridedView = { offset, shape: counts(shape, fail), strides: counts(strides, fail) };
  if (view.shape.length !== view.strides.length) {
    throw fail({ kind: 'data', message: 'a tensor has more dimensions than strides, or fewer' });
  }
  const problem = findViewProblem(view, storage.elements);
  if (problem !== undefined) throw fail({ kind: 'tensor', ...problem });
  return { kind: 'tensor', storage, view };
}

/** `(tensor, requires_grad, hooks)` */
function rebuildParameter(args: readonly PickleValue[], fail: Fail): PickleTensor {
  const [tensor = null] = args;
  if (args.length === 3 && isObject(tensor) && tensor.kind === 'tensor') return tensor;
  throw fail({
    kind: 'data',
    message: 'the arguments of a parameter are wrong',
    got: describeValues(args),
    expected: 'tensor, requires_grad, hooks',
  });
}

/** Always made empty and filled afterwards. */
function makeOrderedDict(args: readonly PickleValue[], fail: Fail): PickleValue {
  if (args.length === 0) return { kind: 'dict', pairs: [] };
  throw fail({ kind: 'data', message: 'an OrderedDict is made from arguments', got: `${args.length}` });
}

/** `(tuple,)` */
function makeSize(args: readonly PickleValue[], fail: Fail): PickleValue {
  return { kind: 'tuple', items: counts(args[0] ?? null, fail) };
}

function counts(value: PickleValue, fail: Fail): number[] {
  const items = isObject(value) && value.kind === 'tuple' ? value.items : undefined;
  if (items === undefined || !items.every(isCount)) {
    throw fail({ kind: 'data', message: 'a shape or stride is no tuple of whole numbers', got: describeValue(value) });
  }
  if (items.length > limits.dimensions) {
    throw fail({ kind: 'limit', message: 'a tensor has too many dimensions', got: `${items.length}` });
  }
  return [...items];
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
