// The part of WebAssembly's interface that is used here; the types of the language come with it only together with the DOM.

export interface WasmMemory<BUFFER extends ArrayBufferLike = ArrayBufferLike> {
  /** Replaced when the memory grows; the old one is detached, or, if shared, goes on showing the part it had. */
  readonly buffer: BUFFER;
  /** @returns the size before, in pages of 64 KiB. @throws RangeError when there is no more. */
  grow(pages: number): number;
}

interface WebAssemblyInterface {
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory<SharedArrayBuffer>;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { readonly exports: unknown };
}

declare const WebAssembly: WebAssemblyInterface;

/** Bytes of a page, the unit of growth. */
export const pageBytes = 65536;

/** Most pages of a memory with 32-bit addresses: 4 GiB. */
export const mostPages = 65536;

/** A memory of one page that can grow to the most there is, and that threads can share. */
export function createMemory(): WasmMemory<SharedArrayBuffer> {
  return new WebAssembly.Memory({ initial: 1, maximum: mostPages, shared: true });
}

/** Compiles a small module. */
export function compile(bytes: Uint8Array): object {
  return new WebAssembly.Module(bytes);
}

/** A module over a memory: its functions. */
export function link(module: object, memory: WasmMemory): unknown {
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}

/** {@link compile} and {@link link}. */
export function instantiate(bytes: Uint8Array, memory: WasmMemory): unknown {
  return link(compile(bytes), memory);
}
