import { describe, expect, it } from 'vitest';
import { renderSummary } from './render-summary.js';
import { summarise } from './summarise.js';
import { tabulate } from './tabulate.js';
import type { Answer, EvaluationRow } from './types.js';

const rows: EvaluationRow[] = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => ({
  id: `r${i}`,
  family: i < 6 ? 'sum' : 'word',
  messages: [{ role: 'user', content: `${i}?` }],
  solution: '\\boxed{1}',
}));
/** Answers of one arm: one digit a row, 1 for right. */
function answers(arm: string, outcomes: string): Answer[] {
  return Array.from(outcomes, (outcome, i) => ({
    rowId: `r${i}`,
    arm,
    completion: '',
    extracted: outcome,
    correct: outcome === '1',
  }));
}

describe('summarise', () => {
  const all = [...answers('vanilla', '00000100'), ...answers('weaver', '11111010')];

  it('gives accuracy with its interval per family and over all', () => {
    const [vanilla, weaver] = summarise({ rows, answers: all });
    expect(vanilla?.overall).toMatchObject({ n: 8, correct: 1, accuracy: 0.125 });
    expect(weaver?.families.map(({ family, summary }) => [family, summary.correct, summary.n])).toEqual([
      ['sum', 5, 6],
      ['word', 1, 2],
    ]);
    expect(weaver?.overall.interval.low).toBeCloseTo(0.4093, 3);
    expect(weaver?.overall.paired).toBeUndefined();
  });

  it('compares with the base arm row by row', () => {
    const [vanilla, weaver] = summarise({ rows, answers: all, baseArm: 'vanilla' });
    expect(vanilla?.overall.paired).toBeUndefined();
    expect(weaver?.overall.paired).toMatchObject({
      n: 8,
      difference: 0.625,
      rescues: ['r0', 'r1', 'r2', 'r3', 'r4', 'r6'],
      regressions: ['r5'],
    });
    expect(weaver?.overall.paired?.p).toBeCloseTo(0.125, 12);
    expect(weaver?.families[1]?.summary.paired).toMatchObject({ n: 2, difference: 0.5, p: 1 });
  });

  it('counts what an arm left open and compares only what both answered', () => {
    const partial = [...answers('vanilla', '0000'), ...answers('weaver', '110')];
    const [vanilla, weaver, absent] = summarise({
      rows,
      answers: partial,
      arms: ['vanilla', 'weaver', 'random-weaver'],
      baseArm: 'vanilla',
    });
    expect([vanilla?.unanswered, weaver?.unanswered, absent?.unanswered]).toEqual([4, 5, 8]);
    expect(weaver?.overall.paired).toMatchObject({ n: 3, difference: 2 / 3 });
    expect(absent?.overall).toMatchObject({ n: 0, interval: { low: 0, high: 1 } });
  });

  it('refuses answers that do not fit the rows', () => {
    const refuse = (change: Partial<Parameters<typeof summarise>[0]>) => () =>
      summarise({ rows, answers: all, ...change });
    expect(refuse({ answers: [...all, ...answers('weaver', '1')] })).toThrow(/answered twice[^]*weaver: r0/);
    expect(refuse({ rows: rows.slice(1) })).toThrow(/belongs to no row[^]*vanilla: r0/);
    expect(refuse({ rows: [...rows, rows[0]!] })).toThrow(/same id[^]*r0/);
    expect(refuse({ baseArm: 'vanila' })).toThrow(/base arm has no answers[^]*vanila/);
  });

  it('is rendered as a table', () => {
    const summaries = summarise({
      rows,
      answers: all,
      arms: ['vanilla', 'weaver', 'random-weaver'],
      baseArm: 'vanilla',
    });
    expect(renderSummary(summaries)).toBe(
      [
        'arm            family  n  accuracy  95 % interval  points  rescued/lost      p',
        '-------------  ------  -  --------  -------------  ------  ------------  -----',
        'vanilla        sum     6    16.7 %       3.0-56.4',
        'vanilla        word    2     0.0 %       0.0-65.8',
        'vanilla        all     8    12.5 %       2.2-47.1',
        'weaver         sum     6    83.3 %      43.6-97.0   +66.7           5/1  0.219',
        'weaver         word    2    50.0 %       9.5-90.5   +50.0           1/0  1.000',
        'weaver         all     8    75.0 %      40.9-92.9   +62.5           6/1  0.125',
        'random-weaver  sum     0         -              -',
        'random-weaver  word    0         -              -',
        'random-weaver  all     0         -              -',
        'random-weaver: 8 rows without an answer',
      ].join('\n'),
    );
  });
});

describe('tabulate', () => {
  it('aligns columns and leaves no blanks at the end', () => {
    expect(tabulate(['name', 'n'], [['a', '10'], ['émile', '7'], ['']])).toBe(
      ['name    n', '-----  --', 'a      10', 'émile   7', ''].join('\n'),
    );
    expect(tabulate(['a', 'b'], [['1', 'long']], { rightAligned: [0] })).toBe('a  b\n-  ----\n1  long');
  });
});
