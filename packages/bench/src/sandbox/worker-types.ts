// What a sandbox and its threads say to each other, and the parts of the Python runtime that are used.
import type { PythonProgram } from './python-program.js';
import type { PythonRuntime } from './python-runtime.js';

export interface WorkerSettings extends PythonRuntime {
  /** In bytes. */
  memoryLimit: number;
  /** Bytes that a program may write into files. */
  fileLimit: number;
}

export interface WorkerRequest {
  id: number;
  program: PythonProgram & { outputLimit: number };
}

export type WorkerReply =
  | { kind: 'ready' }
  /** `verdict` is JSON written by the harness: not to be trusted. */
  | { kind: 'finished'; id: number; verdict: string }
  /** The interpreter cannot be used any more. */
  | { kind: 'broken'; id: number; denied: string[]; reason: string };

/** Of the `pyodide` package. */
export interface PyodideRuntime {
  loadPyodide: (options: {
    indexURL: string;
    jsglobals: object;
    env: Record<string, string>;
    stdin: () => null;
    stdout: (line: string) => void;
    stderr: (line: string) => void;
  }) => Promise<{ runPython(source: string): unknown; _module: EmscriptenModule }>;
}

/** A file or folder in memory. */
export interface MemoryNode {
  name: string;
  parent: MemoryNode;
  /** Bytes of a file (with a length), or entries of a folder. */
  contents?: Record<string, MemoryNode | undefined> & { length?: number };
}

/** What is done to a node of the file system. */
export interface NodeOperations {
  setattr: (node: MemoryNode, attributes: { size?: number }) => void;
  unlink: (parent: MemoryNode, name: string) => void;
  rmdir: (parent: MemoryNode, name: string) => void;
  rename: (node: MemoryNode, folder: MemoryNode, name: string) => void;
}

interface StreamOperations {
  write: (
    stream: { node: MemoryNode },
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    canOwn?: boolean,
  ) => number;
}

/** The parts of the compiled runtime that are used. */
export interface EmscriptenModule {
  FS: {
    /** By file descriptor. */
    streams: unknown[];
    currentPath: string;
    mkdir(path: string): void;
    writeFile(path: string, text: string): void;
    readFile(path: string, options: { encoding: 'utf8' }): string;
    lookupPath(path: string): { node: MemoryNode };
    hashRemoveNode(node: MemoryNode): void;
    ErrnoError: new (code: number) => Error;
  };
  MEMFS: {
    createNode: (parent: MemoryNode, name: string, mode: number, device: number) => MemoryNode;
    stream_ops: StreamOperations;
    ops_table: Record<'dir' | 'link', { node: NodeOperations }> & {
      file: { node: NodeOperations; stream: StreamOperations };
    };
  };
  stringToNewUTF8(text: string): number;
  stackSave(): number;
  stackRestore(pointer: number): void;
  /** 0, or -1 after an exception. */
  _PyRun_SimpleString(source: number): number;
}
