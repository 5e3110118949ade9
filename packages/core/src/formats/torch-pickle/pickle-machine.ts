// Runs a pickle: a stack machine that makes plain data and can do nothing else.
import { describeOpcode, opcodes } from './opcodes.js';
import type { PickleBytes } from './pickle-bytes.js';
import { checkLimit, PickleStack } from './pickle-stack.js';
import {
  describeValue,
  isObject,
  type PickleDict,
  type PickleGlobal,
  type PickleScalar,
  type PickleSequence,
  type PickleValue,
} from './pickle-values.js';
import type { Fail, Problem } from './problem.js';

/** The globals, functions and persistent ids that a pickle may use; everything that is not in it throws. */
export interface PickleVocabulary {
  /** @param name - module and name, e.g. `collections OrderedDict`. */
  global(name: string, fail: Fail): PickleGlobal;
  call(callee: PickleGlobal, args: readonly PickleValue[], fail: Fail): PickleValue;
  persistent(id: PickleValue, fail: Fail): PickleValue;
}

/**
 * Reads one pickle of protocol 2 to 5 and returns its value, which may contain itself.
 *
 * @throws MemGenError `torch-pickle-opcode`, `torch-pickle-data`, `torch-pickle-limit` and what the vocabulary throws.
 */
export function readPickle(bytes: PickleBytes, vocabulary: PickleVocabulary): PickleValue {
  return new PickleMachine(bytes, vocabulary).run();
}

class PickleMachine {
  private readonly fail: Fail = (problem: Problem) => this.bytes.error(problem);
  private readonly stack = new PickleStack(this.fail);
  private readonly memo = new Map<number, PickleValue>();

  constructor(
    private readonly bytes: PickleBytes,
    private readonly vocabulary: PickleVocabulary,
  ) {}

  run(): PickleValue {
    if (this.bytes.opcode() !== opcodes.PROTO) throw this.fail({ kind: 'data', message: 'this is no pickle' });
    this.readProtocol();
    for (let count = 1; ; count++) {
      checkLimit(count, 'opcodes', this.fail);
      const opcode = this.bytes.opcode();
      if (opcode === opcodes.STOP) return this.finish();
      const scalar = this.readScalar(opcode);
      const value = scalar === undefined ? this.makeObject(opcode) : scalar;
      if (value === undefined) this.act(opcode);
      else this.stack.pushNew(value);
    }
  }

  /** The opcodes that push a plain value. */
  private readScalar(opcode: number): PickleScalar | undefined {
    switch (opcode) {
      case opcodes.NONE:
        return null;
      case opcodes.NEWTRUE:
        return true;
      case opcodes.NEWFALSE:
        return false;
      case opcodes.BININT:
        return this.bytes.int32();
      case opcodes.BININT1:
        return this.bytes.uint8();
      case opcodes.BININT2:
        return this.bytes.uint16();
      case opcodes.LONG1:
        return this.bytes.integer(this.bytes.uint8());
      case opcodes.BINFLOAT:
        return this.bytes.float64();
      case opcodes.BINUNICODE:
        return this.bytes.text(this.bytes.uint32());
      case opcodes.SHORT_BINUNICODE:
        return this.bytes.text(this.bytes.uint8());
      default:
        return undefined;
    }
  }

  /** The opcodes that push something new made of what lies on the stack. */
  private makeObject(opcode: number): PickleValue | undefined {
    switch (opcode) {
      case opcodes.EMPTY_DICT:
        return { kind: 'dict', pairs: [] };
      case opcodes.EMPTY_LIST:
        return { kind: 'list', items: [] };
      case opcodes.EMPTY_TUPLE:
        return { kind: 'tuple', items: [] };
      case opcodes.TUPLE1:
        return { kind: 'tuple', items: this.stack.popMany(1) };
      case opcodes.TUPLE2:
        return { kind: 'tuple', items: this.stack.popMany(2) };
      case opcodes.TUPLE3:
        return { kind: 'tuple', items: this.stack.popMany(3) };
      case opcodes.TUPLE:
        return { kind: 'tuple', items: this.stack.popToMark() };
      case opcodes.GLOBAL:
        return this.global(this.bytes.line(), this.bytes.line());
      case opcodes.STACK_GLOBAL: {
        const [module, name] = this.stack.popMany(2);
        return this.global(module, name);
      }
      case opcodes.REDUCE:
        return this.reduce();
      case opcodes.BINPERSID:
        return this.vocabulary.persistent(this.stack.pop(), this.fail);
      default:
        return undefined;
    }
  }

  /** The opcodes that change something. */
  private act(opcode: number): void {
    switch (opcode) {
      case opcodes.APPEND:
        this.append(this.stack.popMany(1));
        break;
      case opcodes.APPENDS:
        this.append(this.stack.popToMark());
        break;
      case opcodes.SETITEM:
        this.setItems(this.stack.popMany(2));
        break;
      case opcodes.SETITEMS:
        this.setItems(this.stack.popToMark());
        break;
      case opcodes.MARK:
        this.stack.mark();
        break;
      case opcodes.BINPUT:
        this.remember(this.bytes.uint8());
        break;
      case opcodes.LONG_BINPUT:
        this.remember(this.bytes.uint32());
        break;
      case opcodes.MEMOIZE:
        this.remember(this.memo.size);
        break;
      case opcodes.BINGET:
        this.recall(this.bytes.uint8());
        break;
      case opcodes.LONG_BINGET:
        this.recall(this.bytes.uint32());
        break;
      case opcodes.BUILD:
        this.build();
        break;
      case opcodes.FRAME:
        this.bytes.skipFrameHeader();
        break;
      default:
        throw this.fail({
          kind: 'opcode',
          message: 'the pickle uses an opcode that a checkpoint of tensors does not need',
          got: describeOpcode(opcode),
        });
    }
  }

  private readProtocol(): void {
    const version = this.bytes.uint8();
    if (version >= 2 && version <= 5) return;
    throw this.fail({
      kind: 'data',
      message: 'this pickle protocol is not known',
      got: `protocol ${version}`,
      expected: '2 to 5',
    });
  }

  private finish(): PickleValue {
    const value = this.stack.pop();
    if (!this.stack.isEmpty || this.bytes.remaining > 0) {
      throw this.fail({ kind: 'data', message: 'the pickle stops before its end' });
    }
    return value;
  }

  private global(module: PickleValue | undefined, name: PickleValue | undefined): PickleValue {
    if (typeof module === 'string' && typeof name === 'string') {
      return this.vocabulary.global(`${module} ${name}`, this.fail);
    }
    throw this.fail({ kind: 'data', message: 'the name of a global is no text' });
  }

  private reduce(): PickleValue {
    const [callee = null, args = null] = this.stack.popMany(2);
    if (!isObject(callee) || callee.kind !== 'global') {
      throw this.fail({
        kind: 'global',
        message: 'the pickle calls something that is no function',
        got: describeValue(callee),
      });
    }
    if (!isObject(args) || args.kind !== 'tuple') {
      throw this.fail({ kind: 'data', message: 'the arguments of a call are no tuple', got: describeValue(args) });
    }
    return this.vocabulary.call(callee, args.items, this.fail);
  }

  /** PyTorch hangs version numbers of modules on its dictionaries as attributes; they say nothing about tensors. */
  private build(): void {
    const state = this.stack.pop();
    const target = this.stack.peek();
    if (isDict(state) && isDict(target)) return;
    throw this.fail({
      kind: 'opcode',
      message: 'the pickle sets the state of something that is no dictionary',
      got: `${describeOpcode(opcodes.BUILD)} of ${describeValue(target)} with ${describeValue(state)}`,
    });
  }

  private append(items: PickleValue[]): void {
    const list = this.stack.peek();
    if (!isList(list)) throw this.wrongTarget(list, 'list');
    for (const item of items) list.items.push(item);
  }

  private setItems(items: PickleValue[]): void {
    const dict = this.stack.peek();
    if (!isDict(dict)) throw this.wrongTarget(dict, 'dict');
    if (items.length % 2 !== 0) throw this.fail({ kind: 'data', message: 'a key comes without a value' });
    this.stack.countObjects(items.length / 2);
    for (let i = 0; i < items.length; i += 2) dict.pairs.push([items[i]!, items[i + 1]!]);
  }

  private wrongTarget(target: PickleValue, expected: string) {
    return this.fail({
      kind: 'data',
      message: `the pickle fills something that is no ${expected}`,
      got: describeValue(target),
    });
  }

  private remember(index: number): void {
    this.memo.set(index, this.stack.peek());
    checkLimit(this.memo.size, 'memoEntries', this.fail);
  }

  private recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.fail({ kind: 'data', message: `there is no memo entry ${index}` });
    this.stack.push(value);
  }
}

function isDict(value: PickleValue): value is PickleDict {
  return isObject(value) && value.kind === 'dict';
}

function isList(value: PickleValue): value is PickleSequence {
  return isObject(value) && value.kind === 'list';
}
