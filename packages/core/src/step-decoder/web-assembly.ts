// The part of WebAssembly's interface that is used here; the types of the language come with it only together with the DOM.

export interface WasmMemory {
  /** Replaced (and the old one detached) when the memory grows. */
  readonly buffer: ArrayBuffer;
  /** @returns the size before, in pages of 64 KiB. @throws RangeError when there is no more. */
  grow(pages: number): number;
}

interface WebAssemblyInterface {
  readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => { readonly exports: unknown };
}

declare const WebAssembly: WebAssemblyInterface;

/** Bytes of a page, the unit of growth. */
export const pageBytes = 65536;

/** Most pages of a memory with 32-bit addresses: 4 GiB. */
export const mostPages = 65536;

/** A memory of one page that can grow to the most there is. */
export function createMemory(): WasmMemory {
  return new WebAssembly.Memory({ initial: 1, maximum: mostPages });
}

/** Compiles a small module and links it to a memory. */
export function instantiate(bytes: Uint8Array, memory: WasmMemory): unknown {
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports;
}
