import { expect, it } from 'vitest';
import type { SampleRecord } from '../samples.js';
import { policySamples } from './policy-samples.js';

const sample = (step: number, prompt: string, reward: number): SampleRecord => ({
  step,
  prompt,
  completion: `${prompt} at ${step}`,
  reward,
});

it('shows the same prompt early and late', () => {
  const samples = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) => [sample(i + 1, i % 4 === 0 ? 'a' : `b${i}`, i / 10)]);
  samples.push(sample(8, 'a', 1));
  expect(policySamples(samples)).toEqual([
    {
      prompt: 'a',
      samples: [
        { step: 1, completion: 'a at 1', reward: 0 },
        { step: 8, completion: 'a at 8', reward: 1 },
      ],
    },
  ]);
});

it('shows the first and the last where no prompt comes twice, and nothing of nothing', () => {
  const samples = [1, 2, 3, 4].map((step) => ({ ...sample(step, `p${step}`, 0), woven: 1, decisions: 2 }));
  expect(policySamples(samples).map(({ prompt }) => prompt)).toEqual(['p1', 'p4']);
  expect(policySamples(samples)[0]!.samples).toEqual([{ step: 1, completion: 'p1 at 1', reward: 0, woven: 1, decisions: 2 }]); // prettier-ignore
  expect(policySamples([sample(3, 'only', 1)]).map(({ prompt }) => prompt)).toEqual(['only']);
  expect(policySamples([])).toEqual([]);
});
