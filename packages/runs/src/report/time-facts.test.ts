import { expect, it } from 'vitest';
import type { MetricsRecord } from '../metrics-log.js';
import { timeFacts } from './time-facts.js';

function record(step: number, values: Record<string, number | null>): MetricsRecord {
  return { step, time: '2026-01-01T00:00:00.000Z', ...values } as MetricsRecord;
}

it('adds the times of the parts of a step up', () => {
  const metrics = [
    record(1, { 'train/time/rollout': 300, 'train/time/forward': 100 }),
    record(2, { 'train/time/rollout': 500, 'train/time/forward': 100, 'train/loss': 1 }),
    record(2, { 'validation/loss': 3 }),
  ];
  expect(timeFacts(metrics)).toEqual([
    {
      title: 'Where the time goes',
      facts: [
        { label: 'rollout', value: '80.0 %, 400 ms a step' },
        { label: 'forward', value: '20.0 %, 100 ms a step' },
      ],
    },
  ]);
  expect(timeFacts([record(1, { 'train/loss': 1 })])).toEqual([]);
});
