import { describe, expect, it } from 'vitest';
import { sampleReport } from './__fixtures__/sample-report.js';
import type { ReportData } from './report-data.js';
import { renderReport } from './render-report.js';

/** What a model could write to get out of the text and into the page. */
const attack = `</text></title></style></pre></td><script>alert(1)</script><img src=x onerror=alert(1)> " ' ] + alert(1) + [\\u0000\u0007\u202e`;

function count(page: string, pattern: RegExp): number {
  return page.match(pattern)?.length ?? 0;
}

/** The data with the attack in place of every text. */
function poison<T>(value: T, keep: readonly string[]): T {
  const walk = (node: unknown, key: string): unknown => {
    if (typeof node === 'string') return keep.includes(key) ? node : attack;
    if (Array.isArray(node)) return node.map((item) => walk(item, key));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, walk(member, name)]));
  };
  return walk(value, '') as T;
}

describe('renderReport', () => {
  it('is one page that shows everything it was given', async () => {
    const page = await renderReport(sampleReport);
    for (const text of [
      sampleReport.title,
      'Max buys a hammer and a ruler. What is the bill?',
      '9 + 13 = 22. \\boxed{22}',
      '(nothing)',
      '2 min 41 s',
      '[78.3, 86.8]',
      '+81.0\u00a0points',
      '\u221281.5\u00a0points',
      'p\u00a0&lt;\u00a00.001',
      '1,310',
      'npm start -- --config configs/tiny-shop.yaml',
      '&quot;learning_rate&quot;: 0.002',
    ]) {
      expect(page).toContain(text);
    }
    expect(count(page, /class="wrong"/g)).toBe(4);
    expect(count(page, /\u2713 correct/g)).toBe(2);
    expect(JSON.parse(JSON.stringify(sampleReport))).toEqual(sampleReport);
    expect(await renderReport(sampleReport)).toBe(page);
  });

  it('needs no script and no network', async () => {
    const page = await renderReport(sampleReport);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|@import|javascript:/i);
    expect(page).not.toMatch(/(?:src|href)=/i);
    const addresses = (page.match(/https?:\/\/[^"'\s<]+/g) ?? []).filter(
      (address) => !address.startsWith('http://www.w3.org/'),
    );
    expect(addresses).toEqual([]);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  it('gives every chart a name, a caption and a table, and follows light and dark', async () => {
    const page = await renderReport(sampleReport);
    const charts = sampleReport.results.length + sampleReport.curves.length;
    expect(count(page, /<svg /g)).toBe(charts);
    expect(count(page, /<svg role="img" aria-label="[^"]{20,}"/g)).toBe(charts);
    expect(count(page, /<figcaption>/g)).toBe(charts);
    expect(count(page, /<table>/g)).toBe(charts);
    expect(page).toContain('trained weaver 59.0\u00a0% [49.2, 68.1]');
    expect(page).toMatch(/aria-label="Training loss\. training loss: 1\.\d+ at step 1, 0\.\d+ at step 794\."/);
    expect(page).toContain('prefers-color-scheme: dark');
    expect(page).toContain('@media print');
    // Charts take their colours from the page, so that they follow it into the dark.
    const colours = new Set(page.match(/(?:fill|stroke)="(?!none|transparent|var\()[^"]+"/g) ?? []);
    expect([...colours]).toEqual([]);
  });

  it('only shows what hostile texts say', async () => {
    const poisoned = poison(sampleReport, ['id', 'arm', 'against', 'unit', 'better', 'writtenAt']);
    const page = await renderReport(poisoned);
    const clean = await renderReport(sampleReport);
    expect(page).not.toMatch(/<script|<img/i);
    for (const tag of ['svg', 'table', 'section', 'article', 'details', 'pre', 'style', 'title']) {
      const tags = new RegExp(`</${tag}>`, 'g');
      expect(count(page, tags), tag).toBe(count(clean, tags));
    }
    // Keys that the tables look things up by are shown too where nothing else names them.
    const arms: ReportData = { ...sampleReport, examples: poison(sampleReport.examples, []) };
    expect(await renderReport(arms)).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('\u2407');
    expect(page).not.toContain('\u0007');
  });

  it('stands what is missing, not finite or endless', async () => {
    const page = await renderReport({
      ...sampleReport,
      highlights: [],
      facts: [],
      results: [
        {
          title: 'Loss',
          caption: 'Validation loss.',
          unit: 'number',
          better: 'lower',
          arms: [
            { id: 'a', label: 'A' },
            { id: 'b', label: 'B' },
            { id: 'c', label: 'C' },
          ],
          groups: [{ label: 'all', rows: 1, values: { a: { value: 1.5, low: 1.4, high: 1.6 }, b: { value: NaN } } }],
        },
        { title: 'Nothing', caption: 'None.', unit: 'percent', better: 'higher', arms: [], groups: [] },
      ],
      curves: [
        {
          title: 'Empty',
          caption: '',
          valueLabel: 'loss',
          smooth: true,
          series: [{ label: 'x', points: [{ step: 1, value: null }] }],
        },
        { title: 'No series', caption: '', valueLabel: 'loss', series: [] },
      ],
      examples: [
        {
          title: 'long',
          prompt: 'p',
          solution: 's',
          answers: [{ arm: 'a', completion: 'x'.repeat(9000), correct: false }],
        },
      ],
    });
    expect(page).toContain('1.500<small>[1.400, 1.600]</small>');
    expect(page).toContain('\u2026 (7000 more characters)');
    expect(page).toContain('Empty. x: no values.');
    expect(page).not.toMatch(/NaN|undefined|\[object/);
  });

  it('sets an arm off only when its interval is apart from the others, in either direction', async () => {
    const table = sampleReport.results[0]!;
    const values = (a: number, b: number): ReportData => ({
      ...sampleReport,
      curves: [],
      results: [
        {
          ...table,
          better: 'lower',
          unit: 'number',
          arms: table.arms.slice(0, 2),
          groups: [
            {
              label: 'all',
              rows: 9,
              values: {
                vanilla: { value: a, low: a - 1, high: a + 1 },
                'random-weaver': { value: b, low: b - 1, high: b + 1 },
              },
            },
          ],
        },
      ],
    });
    expect(await renderReport(values(2, 5))).toContain('<td class="best">2<');
    expect(await renderReport(values(2, 3.5))).not.toContain('class="best"');
  });
});
