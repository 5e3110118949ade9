// The part of WebAssembly's interface that is used here; the types of the language come with it only together with the DOM.
import { setFlagsFromString } from 'node:v8';

export interface WasmMemory<BUFFER extends ArrayBufferLike = ArrayBufferLike> {
  /** Replaced when the memory grows; the old one is detached, or, if shared, goes on showing the part it had. */
  readonly buffer: BUFFER;
  /** @returns the size before, in pages of 64 KiB. @throws RangeError when there is no more. */
  grow(pages: number): number;
}

interface WasmImports {
  env?: { memory: WasmMemory };
  native?: NativeFunctions & { present: 0 | 1 };
}

/** What a module can have an addon compute on its memory; assembly/native.ts says what. */
export interface NativeFunctions {
  multiply: (...numbers: number[]) => void;
  attend: (...numbers: number[]) => void;
  activate: (...numbers: number[]) => void;
}

/** For modules without an addon. */
const noFunctions: NativeFunctions = { multiply: () => undefined, attend: () => undefined, activate: () => undefined };

interface WebAssemblyInterface {
  readonly Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory<SharedArrayBuffer>;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: WasmImports) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
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

/** A small module in base64. */
export interface ModuleVariants {
  simd: string;
  /** The same with the instructions of relaxed SIMD: multiply and add in one. */
  relaxedSimd?: string;
  /** The fastest of the others, with pairs of vectors where they can be joined: for engines that do it. */
  wide?: string;
}

/** A function `f` of three floats: the first lane of `f32x4.relaxed_madd` of their splats. */
const multiplyAdd = 'AGFzbQEAAAABCAFgA319fQF9AwIBAAUDAQAABw4CAWYAAAZtZW1vcnkCAAoWARQAIAD9EyAB/RMgAv0T/YUC/R8ACw==';

/** Whether the processor multiplies and adds in one instruction. Those that can have vectors of 256 bits as well. */
function fusesMultiplyAdd(): boolean {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(multiplyAdd, 'base64')), {});
  const { f } = exports as { f: (a: number, b: number, c: number) => number };
  // The product is 1 - 2^-46, which a float rounds to one.
  return f(1 + 2 ** -23, 1 - 2 ** -23, -1) !== 0;
}

let fuses: boolean | undefined;

/**
 * Whether the engine joins pairs of 128-bit vectors, so that arithmetic runs in 256 bits, twice as fast: V8 on x64 with
 * AVX2. It still calls that an experiment, so it is used only with the version of Node in which all kernels are tested with
 * it, and for these modules alone. The environment variable MEMGEN_WIDE_VECTORS=0 does without.
 */
export function joinsVectors(): boolean {
  if (process.arch !== 'x64' || !process.versions.node.startsWith('24.')) return false;
  return process.env['MEMGEN_WIDE_VECTORS'] !== '0' && (fuses ??= fusesMultiplyAdd());
}

/** Compiles the fastest variant of which the engine has the instructions. */
export function compile({ simd, relaxedSimd = simd, wide }: ModuleVariants): object {
  if (wide !== undefined && joinsVectors()) return compileJoined(Buffer.from(wide, 'base64'));
  const relaxed = Buffer.from(relaxedSimd, 'base64');
  // Node 20 has the instructions as they became standard, behind a flag that admits them and changes nothing else. Later
  // ones do not know the flag and would complain of it to the user.
  if (!WebAssembly.validate(relaxed) && process.versions.node.startsWith('20.')) {
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  }
  return new WebAssembly.Module(WebAssembly.validate(relaxed) ? relaxed : Buffer.from(simd, 'base64'));
}

/** Compiles all at once by the optimizing compiler, so that joining is off again for other modules. */
function compileJoined(bytes: Uint8Array): object {
  setFlagsFromString('--experimental-wasm-revectorize');
  setFlagsFromString('--no-liftoff');
  setFlagsFromString('--no-wasm-lazy-compilation');
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setFlagsFromString('--no-experimental-wasm-revectorize');
    setFlagsFromString('--liftoff');
    setFlagsFromString('--wasm-lazy-compilation');
  }
}

/**
 * A module over a memory: its functions.
 * @param native - of an addon, over the same memory. @default none
 */
export function link(module: object, memory: WasmMemory, native?: NativeFunctions): unknown {
  const present = native === undefined ? 0 : 1;
  return new WebAssembly.Instance(module, { env: { memory }, native: { ...noFunctions, ...native, present } }).exports;
}

/** {@link compile} and {@link link}. */
export function instantiate(variants: ModuleVariants, memory: WasmMemory): unknown {
  return link(compile(variants), memory);
}
