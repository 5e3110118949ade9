import { describe, expect, it } from 'vitest';
import { renderCurve } from './curve-chart.js';

describe('renderCurve', () => {
  it('draws a file that stands alone, with a line per series and its colours', async () => {
    const points = Array.from({ length: 20 }, (_, step) => ({ step, value: 3 / (step + 1) }));
    const svg = await renderCurve({
      title: 'Training loss',
      caption: '',
      valueLabel: 'loss',
      series: [
        { label: 'seed <1>', points },
        { label: 'seed 2', points: points.slice(0, 10) },
      ],
    });
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]*><style>/);
    expect(svg).toContain('--series-1:');
    expect(svg).toContain('var(--series-3)');
    expect(svg).toContain('seed &lt;1&gt;');
    expect(svg).not.toContain('seed <1>');
    expect(svg.match(/<path [^>]*stroke-width="2.25"/g)).toHaveLength(2);
  });
});
