// Blocks of memory: apart from each other, used again, joined, and an end that is told in words.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { Arena, GrowingBlock } from './arena.js';

describe('Arena', () => {
  it('keeps blocks apart through many allocations and releases', () => {
    const arena = new Arena();
    const random = Random.fromSeed(1);
    const blocks: { address: number; length: number; mark: number }[] = [];
    for (let i = 0; i < 2000; i++) {
      if (blocks.length > 0 && random.float() < 0.48) {
        const [block] = blocks.splice(random.int(blocks.length), 1);
        const words = arena.words(block!.address, block!.length);
        expect(words.every((word) => word === block!.mark)).toBe(true);
        arena.release(block!.address);
      } else {
        const length = random.int(5000);
        const address = arena.allocate(4 * length);
        expect(address % 64).toBe(0);
        expect(address).toBeGreaterThan(0);
        arena.words(address, length).fill(i);
        blocks.push({ address, length, mark: i });
      }
    }
    for (const { address } of blocks) arena.release(address);
    expect(arena.usedBytes).toBe(0);
    // All is one block again.
    const before = arena.byteLength;
    arena.allocate(before - 65536 - 64);
    expect(arena.byteLength).toBe(before);
  });

  it.each([0, 1, 31, 32, 33])('leaves room for a vector or two behind a block of 1 MiB less %i bytes', (less) => {
    const arena = new Arena();
    const bytes = (1 << 20) - less;
    const address = arena.allocate(bytes);
    expect(address + bytes + 32).toBeLessThanOrEqual(arena.byteLength);
  });

  it('says when the memory is exhausted, and goes on', () => {
    const arena = new Arena();
    expect(() => arena.allocate(2 ** 32)).toThrow(expect.objectContaining({ code: 'step-decoder-memory' }));
    expect(arena.usedBytes).toBe(0);
    expect(() => arena.allocate(100)).not.toThrow();
  });

  it('is unusable once disposed, but blocks may still be given back', () => {
    const arena = new Arena();
    const address = arena.allocate(100);
    arena.dispose();
    expect(arena.usedBytes).toBe(0);
    expect(() => {
      arena.release(address);
    }).not.toThrow();
    expect(() => arena.allocate(1)).toThrow(expect.objectContaining({ code: 'step-decoder-disposed' }));
    expect(() => arena.floats(address, 1)).toThrow(expect.objectContaining({ code: 'step-decoder-disposed' }));
  });
});

describe('Arena.group', () => {
  it('gives back together what was allocated together, once', () => {
    const arena = new Arena();
    arena.allocate(100);
    const before = arena.usedBytes;
    const { made, release } = arena.group(() => {
      arena.release(arena.allocate(1000));
      return [arena.allocate(200), arena.allocate(300)];
    });
    const alone = arena.allocate(100);
    expect(made[0]).not.toBe(made[1]);
    release();
    release();
    arena.release(alone);
    expect(arena.usedBytes).toBe(before);
  });

  it('gives all back when something fails on the way', () => {
    const arena = new Arena();
    const failing = () =>
      arena.group(() => {
        arena.allocate(500);
        throw new Error('no more');
      });
    expect(failing).toThrow('no more');
    expect(arena.usedBytes).toBe(0);
    arena.allocate(10);
    expect(arena.usedBytes).toBeGreaterThan(0);
  });
});

describe('GrowingBlock', () => {
  it('is replaced only when it is too small, and holds one block', () => {
    const arena = new Arena();
    const block = new GrowingBlock(arena);
    expect(block.reserve(0)).toBe(false);
    expect(block.reserve(1000)).toBe(true);
    const { address } = block;
    expect(block.reserve(900)).toBe(false);
    expect(block.address).toBe(address);
    expect(block.reserve(5000)).toBe(true);
    expect(arena.usedBytes).toBeLessThan(5000 + 128);
  });
});
