import { describe, expect, it } from 'vitest';
import { sampleComparison } from './__fixtures__/sample-comparison.js';
import { differingSettings } from './differing-settings.js';
import { renderComparison } from './render-comparison.js';

const attack = `</text></title></style><script>alert(1)</script><img src=x onerror=alert(1)>`;

describe('renderComparison', () => {
  it('shows runs, settings that differ, results with intervals and common curves', async () => {
    const page = await renderComparison(sampleComparison);
    for (const text of ['3 runs compared', 'training.learning_rate', '0.0012', '0.0003', '[78.3, 86.8]', '5.5 min']) {
      expect(page).toContain(text);
    }
    // Two runs have a reward, all three a loss.
    expect(page).toMatch(/aria-label="Training loss\. steep: [^"]* gentle: [^"]* frozen: [^"]*"/);
    expect(page).toMatch(/aria-label="Reward\. steep: [^"]* gentle: (?:(?!frozen)[^"])*"/);
    expect(page).not.toContain('<th scope="row">training.batch_size</th>');
    expect(page).toContain('<th scope="row">weaver.latents</th>');
    expect(page).toContain('shop: weaver <small class="muted">300</small>');
    expect(page).not.toMatch(/<script|<link|<img|https?:\/\/(?!www\.w3\.org)/);
    expect(await renderComparison(sampleComparison)).toBe(page);
  });

  it('says so when nothing differs, and when there is nothing to compare', async () => {
    const [run] = sampleComparison.runs;
    const page = await renderComparison({ ...sampleComparison, runs: [run!, { ...run!, label: 'again' }] });
    expect(page).toContain('None: the runs have the same configuration.');
    await expect(renderComparison({ ...sampleComparison, runs: [run!] })).rejects.toMatchObject({ code: 'comparison' });
    const bare = {
      ...run!,
      metrics: [],
      manifest: {
        ...run!.manifest,
        sessions: run!.manifest.sessions.map((session) => ({ ...session, git: undefined, ended_at: undefined })),
      },
    };
    expect(await renderComparison({ runs: [bare, bare], writtenAt: sampleComparison.writtenAt })).not.toMatch(
      /NaN|undefined/,
    );
  });

  it('only shows what hostile names and settings say, and dashes lines when colours run out', async () => {
    const runs = Array.from({ length: 8 }, (_, i) => {
      const { manifest, metrics } = sampleComparison.runs[i % 2]!;
      return { label: `${attack} ${i}`, metrics, manifest: { ...manifest, config: { [attack]: `${attack}${i}` } } };
    });
    const page = await renderComparison({ runs, writtenAt: sampleComparison.writtenAt });
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain('&lt;script&gt;');
    expect(page).toContain('stroke-dasharray="6,4"');
    expect(await renderComparison(sampleComparison)).not.toContain('stroke-dasharray="6,4"');
  });
});

describe('differingSettings', () => {
  it('compares leaves, lists as a whole, and knows what is not set', () => {
    const first = { a: { b: 1, c: [1, 2] }, same: 'x', only: undefined };
    const second = { a: { b: 2, c: [1, 2] }, same: 'x', z: true };
    expect(differingSettings([first, second])).toEqual([
      { key: 'a.b', values: ['1', '2'] },
      { key: 'z', values: [undefined, 'true'] },
    ]);
  });
});
