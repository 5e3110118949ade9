import { describe, expect, it } from 'vitest';
import { Random, type RandomState } from './random.js';

describe('Random', () => {
  it('repeats a stream from its seed and continues one from its state', () => {
    const a = Random.fromSeed(7);
    const first = [a.float(), a.normal(), a.int(10)];
    const b = Random.fromSeed(7);
    expect([b.float(), b.normal(), b.int(10)]).toEqual(first);
    const saved = Random.fromState(JSON.parse(JSON.stringify(a.state())) as RandomState);
    expect(saved.float()).toBe(a.float());
  });

  it('forks by label alone, whatever was drawn before', () => {
    const a = Random.fromSeed(1);
    const b = Random.fromSeed(1);
    b.float();
    expect(a.fork('data').uint32()).toBe(b.fork('data').uint32());
    expect(a.fork('data').uint32()).not.toBe(a.fork('init').uint32());
    expect(a.fork('data').uint32()).not.toBe(Random.fromSeed(2).fork('data').uint32());
  });

  it('has the moments of its distributions', () => {
    const random = Random.fromSeed(3);
    const normals = Array.from({ length: 20_000 }, () => random.normal());
    const mean = normals.reduce((s, x) => s + x, 0) / normals.length;
    const variance = normals.reduce((s, x) => s + (x - mean) ** 2, 0) / normals.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) counts[random.int(3)]!++;
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(250);
  });

  it('shuffles without loss and refuses to sample too many', () => {
    const random = Random.fromSeed(4);
    expect(random.shuffle([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(() => random.sample([1], 2)).toThrow(/2 of 1/);
    expect(() => Random.fromSeed(1.5)).toThrow(/integer/);
  });
});
