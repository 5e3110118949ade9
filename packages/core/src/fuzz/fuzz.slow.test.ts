// Damaged and hostile files through the public entry points: each loads or is refused by a typed error, in time and space.
import { describe, expect, it } from 'vitest';
import { runTarget } from './run-target.test-helper.js';
import { makeTargets } from './targets.test-helper.js';

/** `target:seed` runs one case again, `target` all cases of one target. */
const [onlyTarget = '', onlySeed] = (process.env.MEMGEN_FUZZ ?? '').split(':');
const targets = Object.entries(makeTargets(() => undefined)).filter(
  ([name]) => onlyTarget === '' || name === onlyTarget,
);
const firstSeed = Number(onlySeed ?? process.env.MEMGEN_FUZZ_SEED ?? 1);

describe.skipIf(onlyTarget !== '')('the watch itself', () => {
  it.concurrent.each([
    ['another error', /TypeError/],
    ['a buffer', /a buffer of 2147483648 bytes/],
    ['a caught buffer', /a buffer of 2147483648 bytes/],
    ['growth', /grew by \d+ bytes/],
    ['a hang', /hung/],
    ['no memory', /ended the process[\s\S]*heap/],
    ['a program', /no file may lead to: child_process\.execFileSync/],
    ['a file elsewhere', /no file may lead to: open \/etc\/passwd/],
  ])('notices %s', async (name, fault) => {
    const { faults } = await runTarget(name, 1, 1, name === 'a hang' ? 8000 : undefined);
    expect(faults.join('\n')).toMatch(fault);
    expect(faults[0]).toContain(`[MEMGEN_FUZZ=${name}:1]`);
  });
});

describe('damaged files of kind', () => {
  it.concurrent.each(targets)('%s are read or refused', { timeout: 600_000 }, async (name, { cases }) => {
    const count = onlySeed === undefined ? cases : 1;
    const result = await runTarget(name, firstSeed, count);
    const outcomes = [...result.outcomes]
      .sort(([, a], [, b]) => b - a)
      .map(([outcome, times]) => `${outcome} ${times}`);
    console.log(
      `${name}: ${result.cases} cases, longest ${Math.round(result.longestMilliseconds)} ms, ` +
        `largest buffer ${(result.largestRequest / 2 ** 20).toFixed(1)} MiB; ${outcomes.join(', ')}`,
    );
    expect(result.faults.join('\n')).toBe('');
    expect(result.cases).toBe(count);
    // Damage that everything refuses at its first byte, or that nothing notices, would test little.
    if (onlySeed === undefined) expect(result.outcomes.size).toBeGreaterThan(2);
  });
});
