// Stands between CPython and JavaScript: after start-up the WebAssembly module can call system calls in memory only.
import { webAssembly, type Imports, type Memory } from './web-assembly.js';

/**
 * What Python may still call once the guard is locked, by name: time, randomness, files in memory, growing its memory
 * up to the limit, and its own trampolines. Everything else throws: the functions that read, call and make JavaScript
 * objects, evaluate text as JavaScript, open sockets or load libraries.
 */
const allowed = new RegExp(
  [
    // Clock, randomness, environment (emptied), end of the program.
    'clock_.*|random_get|environ_.*|proc_exit|exit|emscripten_date_now|emscripten_get_now|_(?:tzset|timegm|mktime|localtime|gmtime)_js',
    // Memory.
    'emscripten_(?:resize_heap|get_heap_max)|_mmap_js|_munmap_js',
    // Files, which lie in memory; their size is limited elsewhere.
    'fd_.*|_try_fcntl64',
    '__syscall_(?:fcntl64|openat|faccessat|chdir|fchdir|chmod|fchmod|fchmodat2|dup|dup3|f?datasync|fdatasync|fstat64|stat64|newfstatat|lstat64|ftruncate64|truncate64|getcwd|getdents64|mkdirat|readlinkat|unlinkat|rmdir|renameat|symlinkat|utimensat|statfs64|fstatfs64|ioctl|fadvise64|fallocate|getuid32_js|umask_js|poll)',
    '_maybe_poll_async',
    // The interpreter's own workings: calls through its table, pending signals, exceptions.
    '_PyEM_TrampolineCall_JS|_Py_CheckEmscriptenSignals_Helper|_Py_emscripten_runtime|invoke_.*|__call_sighandler|__assert_fail|_abort_js',
    'emscripten_runtime_keepalive_.*|_emscripten_runtime_keepalive_clear|_emscripten_get_progname|emscripten_log_impl_js',
    'can_run_sync_js|pyproxy_Check|set_suspender|get_suspender|saveState|restoreState',
  ]
    .map((names) => `^(?:${names})$`)
    .join('|'),
);

type AnyFunction = (...values: unknown[]) => unknown;

export interface ImportGuard {
  /** From now on what is not allowed throws. */
  lock(): void;
  /** Names of what was called and not allowed since the lock. */
  denied(): string[];
  /** The interpreter's memory; its buffer changes when it grows. */
  memory(): Uint8Array;
}

/**
 * Replaces `WebAssembly.instantiate` and `WebAssembly.Instance` of this thread, so that every function given to the
 * interpreter passes through the guard, under whatever name it asks for it later.
 *
 * @param module - already compiled, used for the interpreter in place of the bytes.
 * @param memoryLimit - in bytes; asking for more fails as on a full machine (`MemoryError`).
 */
export function guardImports({
  module,
  memoryLimit,
}: {
  module: WebAssembly.Module;
  memoryLimit: number;
}): ImportGuard {
  let locked = false;
  let memory: Memory | undefined;
  const denied = new Set<string>();
  const names = new Map<unknown, string>();

  const guarded = (name: string, original: unknown): unknown => {
    const call = original as AnyFunction;
    if (name === 'emscripten_resize_heap') {
      return (bytes: unknown) => ((bytes as number) >>> 0 > memoryLimit ? 0 : call(bytes));
    }
    if (allowed.test(name)) return original;
    return (...values: unknown[]) => {
      if (!locked && typeof original === 'function') return call(...values);
      denied.add(name);
      throw new Error(`${name} is not available to a program in the sandbox`);
    };
  };
  const guardAll = (imports: Imports): Imports =>
    Object.fromEntries(
      Object.entries(imports).map(([space, members]) => [
        space,
        new Proxy(members, {
          get(target, key) {
            const value = Reflect.get(target, key) as unknown;
            if (typeof key !== 'string' || !isCallable(value)) return value;
            // Functions made callable one by one arrive under a letter: they are known by who they are.
            const name = names.get(value) ?? (space === 'e' ? (value as AnyFunction).name : key);
            names.set(value, name);
            return guarded(name, value);
          },
        }),
      ]),
    );

  const { instantiate, Instance } = webAssembly;
  const replacement = async (_source: unknown, imports: Imports = {}) => {
    for (const [name, value] of Object.entries(imports['env'] ?? {})) names.set(value, name);
    const instance = await instantiate(module, guardAll(imports));
    memory ??= instance.exports['memory'] as Memory;
    return { module, instance };
  };
  Object.assign(webAssembly, {
    instantiate: replacement,
    instantiateStreaming: replacement,
    Instance: new Proxy(Instance, {
      construct(target, [made, imports]: [WebAssembly.Module, Imports | undefined]) {
        return new target(made, imports && guardAll(imports));
      },
    }),
  });
  return {
    lock: () => (locked = true),
    denied: () => [...denied],
    memory: () => new Uint8Array(memory!.buffer),
  };
}

/** A function, or one that may wait for JavaScript (`WebAssembly.Suspending`, where the engine has it). */
function isCallable(value: unknown): boolean {
  return typeof value === 'function' || Object.prototype.toString.call(value) === '[object WebAssembly.Suspending]';
}
