// The parts of `WebAssembly` that are used; the types of Node leave them out.

export interface Memory {
  readonly buffer: ArrayBuffer;
}

export type Imports = Record<string, Record<string, unknown>>;

export interface Instance {
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The compiler and instances of this thread. */
export interface WebAssemblyApi {
  compile(bytes: Uint8Array): Promise<WebAssembly.Module>;
  instantiate: (module: WebAssembly.Module, imports?: Imports) => Promise<Instance>;
  Instance: new (module: WebAssembly.Module, imports?: Imports) => Instance;
}

export const webAssembly = (globalThis as typeof globalThis & { WebAssembly: WebAssemblyApi }).WebAssembly;
