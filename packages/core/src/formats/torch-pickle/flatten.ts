// Turns nested dictionaries into tensors and plain values by dotted names.
import type { MemGenError } from '@memgen/common';
import { limits } from './limits.js';
import {
  describeValue,
  isObject,
  type PickleDict,
  type PickleGlobal,
  type PickleScalar,
  type PickleSequence,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './pickle-values.js';
import { quote, torchPickleError, type Problem } from './problem.js';
import { isDtypeName } from './torch-vocabulary.js';

/** In the order of the file. */
export interface FlatCheckpoint {
  readonly tensors: ReadonlyMap<string, PickleTensor>;
  readonly scalars: ReadonlyMap<string, PickleScalar>;
}

/**
 * Keys are joined by dots, as in `state_dict.model.weight`; members of lists and tuples go by their index, as in
 * `sizes.0`. An element type such as `torch.float32` becomes its name.
 *
 * @throws MemGenError `torch-pickle-data` if the top is no dictionary, a name occurs twice, a key is neither text nor
 * integer, or an object contains itself; `torch-pickle-limit`.
 */
export function flattenCheckpoint(top: PickleValue, path: string): FlatCheckpoint {
  const flattening = new Flattening(path);
  if (!isObject(top) || top.kind !== 'dict') {
    throw torchPickleError(path, {
      kind: 'data',
      message: 'the checkpoint is no dictionary',
      got: describeValue(top),
      expected: 'a dictionary of tensors by name',
      hint: "save it in Python as a dictionary: torch.save({'name': tensor}, path)",
    });
  }
  flattening.visit(top, undefined);
  return flattening;
}

class Flattening implements FlatCheckpoint {
  readonly tensors = new Map<string, PickleTensor>();
  readonly scalars = new Map<string, PickleScalar>();
  /** The containers around the value being visited. */
  private readonly around = new Set<PickleValue>();
  private visits = 0;
  private characters = 0;

  constructor(private readonly path: string) {}

  /** @param name - undefined for the whole checkpoint. */
  visit(value: PickleValue, name: string | undefined): void {
    if (++this.visits > limits.visits) {
      throw this.fail(name, { kind: 'limit', message: 'the checkpoint holds too many values' });
    }
    if (!isObject(value)) {
      this.add(this.scalars, value, name);
    } else if (value.kind === 'tensor') {
      this.add(this.tensors, value, name);
      if (this.tensors.size > limits.tensors) {
        throw this.fail(name, { kind: 'limit', message: 'the checkpoint holds too many tensors' });
      }
    } else if (value.kind === 'global' || value.kind === 'storage') {
      this.add(this.scalars, this.dtypeOf(value, name), name);
    } else {
      this.visitContainer(value, name);
    }
  }

  private dtypeOf(value: PickleGlobal | PickleStorage, name: string | undefined): string {
    if (value.kind === 'global' && isDtypeName(value.name)) return value.name.replace(' ', '.');
    throw this.fail(name, {
      kind: 'data',
      message: 'the checkpoint holds something that is neither a tensor nor a plain value',
      got: describeValue(value),
    });
  }

  private visitContainer(container: PickleDict | PickleSequence, name: string | undefined): void {
    if (this.around.has(container)) {
      throw this.fail(name, { kind: 'data', message: `a ${container.kind} contains itself` });
    }
    if (this.around.size >= limits.nesting) {
      throw this.fail(name, {
        kind: 'limit',
        message: 'the checkpoint is nested too deeply',
        expected: `at most ${limits.nesting} levels`,
      });
    }
    this.around.add(container);
    const pairs = container.kind === 'dict' ? container.pairs : container.items.entries();
    for (const [key, value] of pairs) {
      if (typeof key !== 'string' && !(typeof key === 'number' && Number.isSafeInteger(key))) {
        throw this.fail(name, {
          kind: 'data',
          message: 'a key of a dictionary is neither text nor integer',
          got: describeValue(key),
        });
      }
      this.visit(value, this.join(name, key));
    }
    this.around.delete(container);
  }

  private join(name: string | undefined, key: string | number): string {
    const joined = name === undefined ? `${key}` : `${name}.${key}`;
    this.characters += joined.length;
    if (joined.length <= limits.nameLength && this.characters <= limits.allNames) return joined;
    throw this.fail(joined, { kind: 'limit', message: 'the names in the checkpoint are too long' });
  }

  private add<Value>(target: Map<string, Value>, value: Value, name = ''): void {
    if (this.tensors.has(name) || this.scalars.has(name)) {
      throw this.fail(name, { kind: 'data', message: 'this name occurs twice' });
    }
    target.set(name, value);
  }

  private fail(name: string | undefined, problem: Problem): MemGenError {
    return torchPickleError(name === undefined ? this.path : `${this.path}, ${quote(name)}`, problem);
  }
}
