import { describe, expect, it } from 'vitest';
import type { MetricsRecord } from '../metrics-log.js';
import { metricCurves } from './metric-curves.js';

function record(step: number, values: Record<string, number | null>): MetricsRecord {
  return { step, time: '2026-01-01T00:00:00.000Z', ...values } as MetricsRecord;
}

describe('metricCurves', () => {
  it('names and orders what tells whether a run learns, and puts everything else behind it', () => {
    const metrics = [
      record(1, { 'train/grad_norm': 1, custom: 3, reward: 0.1, weave_rate: 0.9, 'train/loss': 2 }),
      record(2, { 'train/grad_norm': 2, custom: 4, reward: 0.2, weave_rate: 0.4, 'train/loss': 1, 'test/x': 1 }),
    ];
    const { main, more } = metricCurves([{ label: 'a', metrics }]);
    expect(main.map(({ title }) => title)).toEqual(['Training loss', 'Reward', 'Weave rate']);
    expect(main[2]!.series).toEqual([
      {
        label: 'a',
        place: 0,
        points: [
          { step: 1, value: 0.9 },
          { step: 2, value: 0.4 },
        ],
      },
    ]);
    expect(more.map(({ title }) => title)).toEqual(['Gradient norm', 'custom']);
  });

  it('has a line for each run that has the metric, holes kept, and no curve of single points', () => {
    const one = {
      label: 'one',
      metrics: [record(1, { loss: 1, kl: 0.1 }), record(2, { loss: null }), record(3, { loss: 2 })],
    };
    const two = { label: 'two', metrics: [record(1, { loss: 5, kl: 0.2 })] };
    const three = { label: 'three', metrics: [record(1, { other: 1 })] };
    const { main, more } = metricCurves([one, two, three]);
    expect(main[0]!.series.map(({ label, points }) => [label, points.map(({ value }) => value)])).toEqual([
      ['one', [1, null, 2]],
      ['two', [5]],
    ]);
    expect(more).toEqual([]);
    // The second of three keeps its colour where the first has nothing to show.
    const late = metricCurves([three, two, one]).main[0]!;
    expect([late.places, late.series.map(({ place }) => place)]).toEqual([3, [1, 2]]);
  });
});
