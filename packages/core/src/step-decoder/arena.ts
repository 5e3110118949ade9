// Blocks of a WebAssembly memory: allocated, freed, used again.
import { MemGenError } from '@memgen/common';
import { createMemory, mostPages, pageBytes, type WasmMemory } from '../backend/web-assembly.js';

/** Most bytes that an arena can hold. */
export const arenaLimit = (mostPages - 1) * pageBytes;

// Kernels work on whole vectors and may touch a few bytes behind the end of a block.
const spare = 32;
const alignment = 64;
// Each step detaches the views and makes the engine collect garbage. Room that is not used yet costs address space only.
const leastGrowth = 1 << 20;
const growthFactor = 0.25;

interface Block {
  start: number;
  end: number;
}

/** Bytes that a block takes. */
export function blockBytes(bytes: number): number {
  return Math.ceil((bytes + spare) / alignment) * alignment;
}

/** First-fit allocator over one memory. Views of the memory hold until the next allocation. */
export class Arena {
  private memoryOrNone: WasmMemory<SharedArrayBuffer> | undefined = createMemory();
  /** In ascending order; neighbours are joined. */
  private free: Block[] = [];
  private readonly used = new Map<number, number>();
  private usedSum = 0;
  /** Blocks of the {@link Arena.group} that is being made. */
  private grouped: Set<number> | undefined;

  /** @throws MemGenError `step-decoder-disposed` after {@link Arena.dispose}. */
  get memory(): WasmMemory<SharedArrayBuffer> {
    this.checkOpen();
    return this.memoryOrNone!;
  }

  /** @throws MemGenError `step-decoder-disposed` after {@link Arena.dispose}. */
  checkOpen(): void {
    if (this.memoryOrNone !== undefined) return;
    throw new MemGenError({ code: 'step-decoder-disposed', message: 'the step decoder has been disposed' });
  }

  /** Bytes of all blocks. */
  get usedBytes(): number {
    return this.usedSum;
  }

  /** Bytes of the memory, used or free. */
  get byteLength(): number {
    return this.memory.buffer.byteLength;
  }

  /** @returns an address, a multiple of 64. @throws MemGenError `step-decoder-memory` when the memory is exhausted. */
  allocate(bytes: number): number {
    const size = blockBytes(bytes);
    let index = this.free.findIndex(({ start, end }) => end - start >= size);
    if (index < 0) {
      this.grow(size);
      index = this.free.length - 1;
    }
    const block = this.free[index]!;
    const address = block.start;
    block.start += size;
    if (block.start === block.end) this.free.splice(index, 1);
    this.used.set(address, size);
    this.usedSum += size;
    this.grouped?.add(address);
    return address;
  }

  /**
   * Keeps track of the blocks that `make` allocates, so that they can be given back together. When it throws, they are
   * given back at once.
   */
  group<T>(make: () => T): { made: T; release: () => void } {
    const addresses = (this.grouped = new Set<number>());
    const release = (): void => {
      for (const address of addresses) this.release(address);
      addresses.clear();
    };
    try {
      return { made: make(), release };
    } catch (error) {
      release();
      throw error;
    } finally {
      this.grouped = undefined;
    }
  }

  /** Gives a block back; nothing is left to give after {@link Arena.dispose}. */
  release(address: number): void {
    if (this.memoryOrNone === undefined) return;
    const size = this.used.get(address);
    if (size === undefined) throw new RangeError(`no block begins at ${address}`);
    this.used.delete(address);
    this.grouped?.delete(address);
    this.usedSum -= size;
    this.addFree({ start: address, end: address + size });
  }

  /** A view of floats. */
  floats(address: number, length: number): Float32Array<SharedArrayBuffer> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  /** A view of 32-bit words. */
  words(address: number, length: number): Uint32Array<SharedArrayBuffer> {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  /** Lets the whole memory go. */
  dispose(): void {
    this.memoryOrNone = undefined;
    this.free = [];
    this.used.clear();
    this.usedSum = 0;
  }

  private grow(size: number): void {
    const { memory } = this;
    const end = memory.buffer.byteLength;
    const last = this.free.at(-1);
    const missing = last?.end === end ? size - (last.end - last.start) : size;
    const room = mostPages * pageBytes - end;
    const wanted = Math.min(Math.max(leastGrowth, growthFactor * end), room);
    const pages = Math.ceil(Math.max(missing, wanted) / pageBytes);
    try {
      memory.grow(pages);
    } catch (cause) {
      throw new MemGenError({
        code: 'step-decoder-memory',
        message: 'there is no more WebAssembly memory for the step decoder',
        got: `${end} bytes in use, ${missing} more needed`,
        expected: `at most ${mostPages * pageBytes} bytes, and as much free memory`,
        hint: 'read fewer rows or columns at once, dispose caches that are no longer needed, or decode on the backend',
        cause,
      });
    }
    this.addFree({ start: end, end: memory.buffer.byteLength });
  }

  private addFree(block: Block): void {
    const after = this.free.findIndex(({ start }) => start > block.start);
    const index = after < 0 ? this.free.length : after;
    const before = this.free[index - 1];
    const next = this.free[index];
    if (next?.start === block.end) {
      block.end = next.end;
      this.free.splice(index, 1);
    }
    if (before?.end === block.start) before.end = block.end;
    else this.free.splice(index, 0, block);
  }
}

/** A block that is replaced by a larger one when it becomes too small; its content is then lost. */
export class GrowingBlock {
  private bytes = 0;
  private place = 0;

  constructor(private readonly arena: Arena) {}

  get address(): number {
    return this.place;
  }

  /** @returns whether the block is a new one. */
  reserve(bytes: number): boolean {
    if (bytes <= this.bytes) return false;
    // The new block comes first: when there is no room for it, the old one stays.
    const place = this.arena.allocate(bytes);
    if (this.bytes > 0) this.arena.release(this.place);
    this.place = place;
    this.bytes = bytes;
    return true;
  }
}
