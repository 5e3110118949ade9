// Watches what reading a file asks of the process: sizes of buffers, and deeds that no data file may lead to.
import childProcess from 'node:child_process';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** What happened since {@link Watch.start}. */
export interface Seen {
  /** Bytes of the largest single buffer that was asked for. */
  largestRequest: number;
  /** Programs started, code compiled from text, files written or read elsewhere. */
  deeds: string[];
}

/** Thrown instead of granting a buffer beyond the limit. */
class TooLarge extends Error {}

/** Takes the place of constructors and functions of this process; made once. */
export class Watch {
  private seen: Seen = { largestRequest: 0, deeds: [] };
  private limit = Infinity;
  private folder = '';

  constructor() {
    const request = (bytes: number): void => {
      this.request(bytes);
    };
    const deed = (what: string): Error => this.deed(what);
    for (const name of bufferKinds) {
      const kind = globalThis[name] as BufferKind;
      Object.assign(globalThis, { [name]: watchConstructor(kind, request) });
    }
    for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
      const original = Buffer[name].bind(Buffer) as (size: number, ...rest: unknown[]) => Buffer;
      Object.assign(Buffer, {
        [name]: (size: number, ...rest: unknown[]) => {
          request(size);
          return original(size, ...rest);
        },
      });
    }
    // Called with its own text below.
    // eslint-disable-next-line @typescript-eslint/unbound-method -- as above
    const repeat = String.prototype.repeat;
    Object.assign(String.prototype, {
      repeat(this: string, count: number) {
        request(this.length * count);
        return repeat.call(this, count);
      },
    });
    for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'] as const) {
      Object.assign(childProcess, { [name]: () => deed(`child_process.${name}`) });
    }
    const evaluate = globalThis.eval;
    globalThis.eval = ((text: string): unknown => {
      deed('eval');
      return evaluate(text);
    }) as typeof eval;
    globalThis.fetch = () => Promise.reject(deed('fetch'));
    const open = fs.open.bind(fs);
    Object.assign(fs, {
      open: (path: string, ...rest: [string?, number?]) => {
        if (this.folder !== '' && !path.startsWith(this.folder)) deed(`open ${path}`);
        return open(path, ...rest);
      },
    });
    syncBuiltinESMExports();
  }

  /** @param folder - the only one that may be opened files of. */
  start(folder: string, largest: number): void {
    this.seen = { largestRequest: 0, deeds: [] };
    this.folder = folder;
    this.limit = largest;
  }

  stop(): Seen {
    this.folder = '';
    this.limit = Infinity;
    return this.seen;
  }

  private request(bytes: number): void {
    if (!(bytes > this.seen.largestRequest)) return;
    this.seen.largestRequest = bytes;
    if (bytes > this.limit) throw new TooLarge(`a buffer of ${bytes} bytes was asked for`);
  }

  private deed(what: string): Error {
    this.seen.deeds.push(what);
    return new Error(`watched: ${what}`);
  }
}

const bufferKinds = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

type BufferKind = (new (...args: unknown[]) => object) & { BYTES_PER_ELEMENT?: number };

function watchConstructor(kind: BufferKind, request: (bytes: number) => void): BufferKind {
  return new Proxy(kind, {
    construct(target, args: unknown[], newTarget) {
      const [size] = args;
      if (typeof size === 'number') request(size * (target.BYTES_PER_ELEMENT ?? 1));
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
}
