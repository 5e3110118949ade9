// The trace page: what it says of a trace, its links, and that no text can do anything.
import { describe, expect, it } from 'vitest';
import type { TracedPoint } from '../generation/index.js';
import { formatNorm, formatPercent, formatTime, visibleToken } from './format.js';
import { renderTracePage } from './render-trace-page.js';
import { hostileText, hostileTrace, sampleTrace } from './sample-trace.test-helper.js';

/** As without a trigger. */
function withoutProbability(point: TracedPoint): TracedPoint {
  const copy = { ...point };
  delete copy.weaveProbability;
  return copy;
}

/** Text of the page as it is read, without tags. */
function textOf(page: string): string {
  return page
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

describe('a trace page', () => {
  const page = renderTracePage(sampleTrace());

  it('says what was woven in, where, and what the trigger found', () => {
    const text = textOf(page);
    expect(text).toContain('4 latents at 2 points among 7 tokens of the answer; at 1 point the trigger refused.');
    expect(text).toMatch(/After the prompt.*2 latents woven in.*75 %/);
    expect(text).toMatch(
      /Before token 6 refused.*A bowl costs 7\..*< 1 %|Before token 6 refused.*A bowl costs 7\..*&lt; 1 %/,
    );
    expect(text).toContain('·seven');
    expect(text).toContain('trigger 1.3 ms, weaver 12 ms, reasoner 3.5 ms');
    expect(text).toMatch(/With memory 7 tokens 1\.50 s 25 ms 4\.0 ms 218 ms/);
    expect(text).toMatch(/Without memory 5 tokens 900 ms – – 180 ms/);
  });

  it('shows the points inside of the text, and where the answers part', () => {
    const woven = /<h3>With memory[\s\S]*?<\/article>/.exec(page)![0];
    expect(textOf(woven)).toContain('1 A bowl costs 7. 2 Yes. 3');
    expect(woven).toContain('costs <b class="own">7.</b>');
    expect(/<h3>Without memory[\s\S]*?<\/article>/.exec(page)![0]).toContain('costs <b class="own">12.</b>');
  });

  it('links each point and its card in both directions', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
    expect(targets).toHaveLength(6);
    for (const target of targets) expect(ids).toContain(target);
  });

  it('needs nothing from outside and allows no script', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/https?:|src=|@import|url\(|<script/);
  });

  it('lets no text do anything', () => {
    const hostile = renderTracePage(hostileTrace());
    expect(hostile).not.toMatch(/<script|<img|onerror="/);
    expect(hostile.split('&lt;script&gt;').length - 1).toBeGreaterThan(10);
    expect(hostile).not.toContain(hostileText);
    expect(hostile).not.toContain('\u0000');
  });

  it('says so when nothing was woven in, nothing changed, or no trigger was asked', () => {
    const { woven } = sampleTrace();
    const nothing = textOf(renderTracePage(sampleTrace({ woven: { ...woven, points: [] } })));
    expect(nothing).toContain('Nothing was woven in');
    expect(nothing).toContain('There was no point');
    const same = sampleTrace({ plain: { ...woven, milliseconds: woven.milliseconds } });
    expect(textOf(renderTracePage(same))).toContain('Memory changed nothing here');
    const points = woven.points.map(withoutProbability);
    expect(textOf(renderTracePage(sampleTrace({ woven: { ...woven, points } })))).not.toContain('Trigger: weave');
    expect(textOf(renderTracePage(sampleTrace({ remark: 'Never trained.' })))).toContain('Never trained.');
  });

  it('cuts no character in two where the answers part', () => {
    const { woven, plain } = sampleTrace();
    const texts = { woven: { ...woven, pieces: ['a😀'], points: [] }, plain: { ...plain, pieces: ['a😁'] } };
    expect(renderTracePage(sampleTrace(texts))).toContain('a<b class="own">😀</b>');
  });
});

describe('numbers and tokens', () => {
  it('are short', () => {
    expect([0.04, 3.456, 42.4, 1234, 61_234].map(formatTime)).toEqual([
      '0.0 ms',
      '3.5 ms',
      '42 ms',
      '1.23 s',
      '61.2 s',
    ]);
    expect([0, 0.001, 0.5, 0.999, 1].map(formatPercent)).toEqual(['0 %', '< 1 %', '50 %', '> 99 %', '100 %']);
    expect([0.1234, 2.5, 33.33, 1234.5].map(formatNorm)).toEqual(['0.123', '2.50', '33.3', '1235']);
  });

  it('show white space', () => {
    expect([' a', '\n\t', ''].map(visibleToken)).toEqual(['·a', '↵⇥', '∅']);
  });
});
