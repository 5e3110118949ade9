// The time left follows from the time taken and the weights of the jobs.
import { expect, it } from 'vitest';
import { formatSeconds, Progress } from './progress.js';

it('says how far the run is', () => {
  let now = 0;
  const lines: string[] = [];
  const jobs = [
    { label: 'loading', weight: 1 },
    { label: 'decoding', weight: 3 },
    { label: 'training', weight: 4 },
  ];
  const progress = new Progress({ jobs, write: (text) => lines.push(text), clock: () => now });
  progress.next();
  now = 10_000;
  progress.next();
  progress.note('42 tokens/s');
  now = 50_000;
  progress.next();
  expect(lines).toEqual([
    '[1/3] loading\n',
    '[2/3] decoding, about 1 min 10 s left\n',
    '    42 tokens/s\n',
    '[3/3] training, about 50 s left\n',
  ]);
});

it('says seconds as people do', () => {
  expect([0, 59.4, 60, 605].map(formatSeconds)).toEqual(['0 s', '59 s', '1 min 00 s', '10 min 05 s']);
});
