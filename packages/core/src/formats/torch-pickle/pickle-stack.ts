// The stack of a pickle machine, with its marks and the limits on what may be put there.
import { limits } from './limits.js';
import { isObject, type PickleValue } from './pickle-values.js';
import type { Fail } from './problem.js';

/** Values below the last mark are out of reach. */
export class PickleStack {
  private readonly values: PickleValue[] = [];
  /** Heights of the stack at the open marks. */
  private readonly marks: number[] = [];
  private objects = 0;

  constructor(private readonly fail: Fail) {}

  get isEmpty(): boolean {
    return this.values.length === 0 && this.marks.length === 0;
  }

  push(value: PickleValue): void {
    this.values.push(value);
    checkLimit(this.values.length, 'stackEntries', this.fail);
  }

  /** Pushes something that has just been made. */
  pushNew(value: PickleValue): void {
    if (isObject(value)) this.countObjects(1);
    this.push(value);
  }

  countObjects(count: number): void {
    this.objects += count;
    checkLimit(this.objects, 'objects', this.fail);
  }

  mark(): void {
    this.marks.push(this.values.length);
    checkLimit(this.marks.length, 'openMarks', this.fail);
  }

  peek(): PickleValue {
    const top = this.values.length > this.floor() ? this.values.at(-1) : undefined;
    if (top === undefined) throw this.fail({ kind: 'data', message: 'the stack of the pickle is empty' });
    return top;
  }

  pop(): PickleValue {
    const top = this.peek();
    this.values.pop();
    return top;
  }

  /** The last `count` values, in the order in which they were pushed. */
  popMany(count: number): PickleValue[] {
    const start = this.values.length - count;
    if (start < this.floor()) throw this.fail({ kind: 'data', message: 'the stack of the pickle is empty' });
    return this.values.splice(start);
  }

  /** All values since the last mark, which is closed. */
  popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.fail({ kind: 'data', message: 'a mark is missing' });
    return this.values.splice(mark);
  }

  private floor(): number {
    return this.marks.at(-1) ?? 0;
  }
}

const limitNames = {
  opcodes: 'opcodes',
  objects: 'objects',
  memoEntries: 'memo entries',
  stackEntries: 'values on the stack',
  openMarks: 'open marks',
} as const;

/** @throws MemGenError `torch-pickle-limit`. */
export function checkLimit(count: number, limit: keyof typeof limitNames, fail: Fail): void {
  if (count <= limits[limit]) return;
  throw fail({
    kind: 'limit',
    message: 'the pickle needs more than any real checkpoint',
    got: `more than ${limits[limit]} ${limitNames[limit]}`,
  });
}
