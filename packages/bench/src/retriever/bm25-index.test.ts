import { describe, expect, it } from 'vitest';
import { Bm25Index } from './bm25-index.js';

const passages = ['red fish', 'red red wine and bread', 'Café au lait', 'blue'].map((text, i) => ({
  id: `p${i}`,
  title: '',
  text,
}));

describe('Bm25Index', () => {
  it('scores by the formula', () => {
    const index = new Bm25Index(passages, { k1: 1.5, b: 0.5 });
    const found = index.search('red', 4);
    // Two of four passages hold it; mean length 11 / 4 words.
    const idf = Math.log(1 + (4 - 2 + 0.5) / (2 + 0.5));
    const score = (count: number, length: number) =>
      (idf * count * 2.5) / (count + 1.5 * (0.5 + (0.5 * length) / 2.75));
    expect(found.map(({ id }) => id)).toEqual(score(1, 2) > score(2, 5) ? ['p0', 'p1'] : ['p1', 'p0']);
    expect(found.find(({ id }) => id === 'p0')?.score).toBeCloseTo(score(1, 2), 12);
    expect(found.find(({ id }) => id === 'p1')?.score).toBeCloseTo(score(2, 5), 12);
  });

  it('compares words without case and accents, and finds nothing for unknown ones', () => {
    const index = new Bm25Index(passages);
    expect(index.search('CAFE?', 3).map(({ id }) => id)).toEqual(['p2']);
    expect(index.search('green', 3)).toEqual([]);
    expect(index.search('', 3)).toEqual([]);
    expect(new Bm25Index([]).search('red', 3)).toEqual([]);
  });

  it('gives the best ones in order, equal ones as in the corpus', () => {
    const many = Array.from({ length: 50 }, (_, i) => ({ id: `p${i}`, title: '', text: i % 10 === 3 ? 'x y' : 'x z' }));
    const index = new Bm25Index(many);
    expect(index.search('x y', 7).map(({ id }) => id)).toEqual(['p3', 'p13', 'p23', 'p33', 'p43', 'p0', 'p1']);
  });
});
