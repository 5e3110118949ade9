// The trace page in a real browser: hostile texts make no elements, and nothing overflows at the width of a phone.
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderTracePage } from './render-trace-page.js';
import { hostileTrace, sampleTrace } from './sample-trace.test-helper.js';

/** `MEMGEN_CHROMIUM`, or a browser of that family in the PATH. */
const browser = process.env.MEMGEN_CHROMIUM ?? findBrowser();

function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const paths = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
    folders.map((at) => join(at, name)),
  );
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What is measured inside of a page that stands in a frame of a width. */
interface Measured {
  title: string;
  /** Elements that only a text that was not escaped could have made. */
  strangers: number;
  contentWidth: number;
  frameWidth: number;
  /** Names of what the keyboard reaches, in order. */
  reached: string[];
  points: number;
}

const measure = `
  const frame = document.querySelector('iframe');
  frame.addEventListener('load', () => {
    const page = frame.contentDocument;
    const links = [...page.querySelectorAll('a[href], summary')];
    const result = {
      title: page.title,
      strangers: page.querySelectorAll('script, img, iframe, [onerror]').length,
      contentWidth: page.documentElement.scrollWidth,
      frameWidth: frame.clientWidth,
      reached: links.map((link) => link.getAttribute('aria-label') ?? link.textContent.trim()),
      points: page.querySelectorAll('.points > li').length,
    };
    document.querySelector('pre').textContent = JSON.stringify(result);
  });`;

describe.skipIf(browser === undefined)('in a browser (needs chromium in the PATH, or MEMGEN_CHROMIUM)', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memgen-page-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function look(page: string, width: number): Promise<Measured> {
    const framed = page.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    const outer = `<!doctype html><iframe width="${width}" height="800" style="border: 0"></iframe><pre></pre>
      <script>${measure}; frame.srcdoc = document.currentScript.dataset.page ?? '';</script>`;
    const path = join(folder, `${width}.html`);
    await writeFile(path, outer.replace('<script>', `<script data-page="${framed}">`));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=5000', `--user-data-dir=${join(folder, 'profile')}`]; // prettier-ignore
    const run = promisify(execFile);
    const { stdout } = await run(browser!, [...flags, '--dump-dom', pathToFileURL(path).href], { timeout: 60_000 });
    const json = /<pre>([\s\S]*?)<\/pre>/.exec(stdout)![1]!;
    return JSON.parse(json.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')) as Measured;
  }

  it.each([360, 1200])('fits a width of %i pixels', async (width) => {
    const { contentWidth, frameWidth, points } = await look(renderTracePage(sampleTrace()), width);
    expect(points).toBe(3);
    expect(frameWidth).toBe(width);
    expect(contentWidth).toBeLessThanOrEqual(frameWidth);
  });

  it('reaches every point by the keyboard, by a name', async () => {
    const { reached } = await look(renderTracePage(sampleTrace()), 1200);
    expect(reached[0]).toBe('Point 1, after the prompt: 2 latents woven in');
    expect(reached[1]).toBe('Point 2, in the text: refused by the trigger');
    expect(reached.filter((name) => name.startsWith('Point'))).toHaveLength(6);
    expect(reached.every((name) => name !== '')).toBe(true);
  });

  it('only shows hostile texts, and they fit too', async () => {
    const { title, strangers, contentWidth } = await look(renderTracePage(hostileTrace()), 360);
    expect(title).toMatch(/^Woven: /);
    expect(strangers).toBe(0);
    expect(contentWidth).toBeLessThanOrEqual(360);
  });
});
