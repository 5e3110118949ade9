// Conversations split into turns, and turns drawn from them.
import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { chooseTurns, splitTurns } from './conversation-turns.js';

describe('splitTurns', () => {
  it('gives each span of labels a sequence that ends with it and supervises it alone', () => {
    const ids = [10, 11, 12, 13, 14, 15, 16, 17];
    const labels = [-100, 11, 12, -100, -100, 15, -100, 17];
    expect(splitTurns({ ids, labels })).toEqual([
      { ids: [10, 11, 12], labels: [-100, 11, 12] },
      { ids: [10, 11, 12, 13, 14, 15], labels: [-100, -100, -100, -100, -100, 15] },
      { ids, labels: [-100, -100, -100, -100, -100, -100, -100, 17] },
    ]);
    expect(splitTurns({ ids: [1, 2], labels: [-100, -100] })).toEqual([]);
  });
});

describe('chooseTurns', () => {
  it('takes all that there are, or draws some in their order, each as often as any other', () => {
    const turns = ['a', 'b', 'c', 'd'];
    expect(chooseTurns(turns, 4, Random.fromSeed(1))).toEqual(turns);
    const counts = new Map(turns.map((turn) => [turn, 0]));
    const random = Random.fromSeed(2);
    for (let i = 0; i < 400; i++) {
      const chosen = chooseTurns(turns, 2, random);
      expect(chosen).toHaveLength(2);
      expect([...chosen].sort()).toEqual(chosen);
      for (const turn of chosen) counts.set(turn, counts.get(turn)! + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(50);
  });
});
