// Training by reward through the app: one experiment after another, interrupted and resumed to the same bits.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listCheckpoints, readAnswers, readManifest, readMetrics, readSamples } from '@memgen/runs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiment } from './config/load-experiment.js';
import { runApp, shippedConfig, weightFiles } from './run-app.test-helper.js';

const small = ['data.test_rows_per_family=1', 'data.skills_rows=7'];
const triggerSettings = [
  ...small,
  'data.mix_test_rows=4',
  'data.train_rows=16',
  'training.max_steps=4',
  'training.grpo.iterations=2',
  'training.grpo.beta=0.04',
  'training.grpo.prompts_per_step=4',
  'training.grpo.max_completion_length=12',
  'training.checkpoint_every_seconds=1000000',
  'evaluation.arms=[vanilla, weaver+trigger]',
  'evaluation.max_new_tokens=6',
];
const chain = [
  'backend=wasm',
  ...small,
  'data.train_rows=16',
  'training.max_steps=2',
  'evaluation.arms=[weaver]',
  'evaluation.max_new_tokens=4',
  ...triggerSettings.map((text) => `next.${text}`),
];
const file = shippedConfig('tiny-shop.yaml');

describe('training by reward', () => {
  let parent: string;
  beforeAll(() => {
    parent = mkdtempSync(join(tmpdir(), 'memgen-grpo-'));
  });
  afterAll(() => {
    rmSync(parent, { recursive: true });
  });

  it('follows the experiment that names it, over its weaver, and resumes to the bit', async () => {
    const loaded = await loadExperiment({ file, overrides: chain });
    const whole = join(parent, 'whole');
    const parts = join(parent, 'parts');
    const done = await runApp({ loaded, out: whole });
    expect(done).toMatchObject({ complete: true, next: [`${whole}-tiny-shop-trigger`] });
    const trigger = done.next[0]!;

    // Between the two steps over a rollout: the rollout is finished first.
    const stopped = await runApp({ loaded, out: parts }, 'training  1/4');
    expect(stopped).toMatchObject({ complete: false });
    const [interrupted] = stopped.next;
    expect((await listCheckpoints(interrupted!)).map(({ step }) => step)).toEqual([2]);
    // The first run knows what follows it.
    expect(await runApp({ resume: parts })).toMatchObject({ complete: true, next: [interrupted] });

    const files = weightFiles(trigger, 4);
    expect(files.map(([name]) => name)).toEqual(
      expect.arrayContaining(['optimizer.safetensors', expect.stringMatching(/^trigger.*adapter_model\.safetensors$/)]),
    );
    expect(weightFiles(interrupted!, 4)).toEqual(files);
    const curve = (folder: string) =>
      readMetrics(folder).map((record) => [record.step, record['train/reward'], record['train/num_tokens'], record['train/kl']]); // prettier-ignore
    expect(curve(interrupted!)).toEqual(curve(trigger));
    expect(readSamples(interrupted!)).toEqual(readSamples(trigger));

    const manifest = await readManifest(join(trigger, 'manifest.json'));
    expect(manifest.config).toMatchObject({ weaver: { from: join(whole, 'checkpoints', 'step-000002') } });
    const { results } = manifest as unknown as { results: { weave_rates: Record<string, Record<string, number>> } };
    expect(Object.keys(results.weave_rates)).toEqual(['mix', 'shop', 'skills']);
    expect(results.weave_rates.mix!['weaver+trigger']).toBeGreaterThanOrEqual(0);
    expect(results.weave_rates.mix).not.toHaveProperty('vanilla');
  }, 180_000);

  it('keeps metrics by the names of TRL, samples and a report that shows them', () => {
    const folder = join(parent, 'whole-tiny-shop-trigger');
    const steps = readMetrics(folder).filter((record) => 'train/loss' in record);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    for (const name of [
      'reward',
      'reward_std',
      'frac_reward_zero_std',
      'completions/mean_length',
      'weave_rate',
      'kl',
    ]) {
      expect(steps[0], name).toHaveProperty([`train/${name}`], expect.any(Number));
    }
    // A rollout is counted once, however often it is learned from.
    const tokens = steps.map((record) => record['train/num_tokens']!);
    expect(tokens[1]).toBe(tokens[0]);
    expect(tokens[2]).toBeGreaterThan(tokens[1]!);
    const samples = readSamples(folder);
    expect(samples.map(({ step }) => step)).toEqual(Array.from({ length: 32 }, (_, i) => (i < 16 ? 1 : 3)));
    expect(samples[0]).toMatchObject({ woven: expect.any(Number), decisions: 1, reward: expect.any(Number) });
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    for (const text of ['At a glance', 'Weave rate', 'Rewards', 'Before and after', 'Where the time goes', 'rollout']) {
      expect(page, text).toContain(text);
    }
  });

  it('refuses a trigger over an untrained weaver, unless told otherwise', async () => {
    const alone = ['backend=wasm', ...triggerSettings];
    const loaded = await loadExperiment({ file: shippedConfig('tiny-shop-trigger.yaml'), overrides: alone });
    const out = join(parent, 'untrained');
    await expect(runApp({ loaded, out })).rejects.toMatchObject({ code: 'weaver-untrained' });
    expect(existsSync(out)).toBe(false);
  });

  it('trains an adapter and a copy of the reasoner, and says what cannot be started with', async () => {
    const settings = [
      'next=null',
      'backend=wasm',
      ...small,
      'data.train_rows=16',
      'training.max_steps=2',
      'evaluation.max_new_tokens=4',
    ];
    for (const train of ['adapter', 'reasoner']) {
      const overrides = [...settings, `training.train=${train}`, 'evaluation.arms=null'];
      const loaded = await loadExperiment({ file, overrides });
      expect(loaded.experiment.evaluation.arms).toEqual(['vanilla', train]);
      const out = join(parent, train);
      const { said } = await runApp({ loaded, out });
      expect(said).toContain('all 7 answers on old skills are the same');
      expect(weightFiles(out, 2).map(([name]) => name)).toEqual(
        expect.arrayContaining([expect.stringMatching(new RegExp(`^${train}.*safetensors$`))]),
      );
    }
    const from = (folder: string) =>
      loadExperiment({ file, overrides: [...settings, 'training.train=adapter', 'evaluation.arms=null', `adapter.from=${folder}`] }); // prettier-ignore
    const on = await runApp({ loaded: await from(join(parent, 'adapter')), out: join(parent, 'adapter-on') });
    expect(on.said).toContain(`from ${join(parent, 'adapter', 'checkpoints', 'step-000002')}`);
    await expect(runApp({ loaded: await from(join(parent, 'nowhere')), out: join(parent, 'x') })).rejects.toMatchObject(
      {
        code: 'start-missing',
        where: join(parent, 'nowhere'),
      },
    );
  }, 120_000);
});

describe('episodes of two turns', () => {
  it('are played in training and by every arm in the end, and kept as they were written', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'memgen-episodes-'));
    const overrides = [
      'backend=wasm',
      'data.train_rows=8',
      'data.test_rows=4',
      'training.max_steps=1',
      'training.grpo.prompts_per_step=2',
      'training.grpo.max_completion_length=8',
      'evaluation.max_new_tokens=8',
      'evaluation.batch_size=3',
    ];
    const loaded = await loadExperiment({ file: shippedConfig('tiny-search-grpo.yaml'), overrides });
    const out = join(parent, 'run');
    expect(await runApp({ loaded, out }, 'search: adapter  3/4')).toMatchObject({ complete: false });
    const known = readAnswers(out).length;
    expect(await runApp({ resume: out })).toMatchObject({ complete: true });
    const answers = readAnswers(out);
    const expected = ['vanilla', 'adapter'].flatMap((arm) => Array.from({ length: 4 }, () => arm));
    expect(answers.map(({ arm }) => arm)).toEqual(expected);
    expect(answers.slice(0, known).map(({ arm }) => arm)).toContain('adapter');
    const [sample] = readSamples(out);
    expect(sample).toMatchObject({ turns: expect.any(Number), reward: expect.any(Number) });
    expect(readMetrics(out)[0]).toHaveProperty(['train/episodes/mean_turns'], expect.any(Number));
    rmSync(parent, { recursive: true });
  }, 120_000);

  it('are not played by workers, which are told at once', async () => {
    const overrides = ['backend=wasm', 'data.train_rows=8', 'data.test_rows=0', 'training.grpo.workers=2'];
    const loaded = await loadExperiment({ file: shippedConfig('tiny-search-grpo.yaml'), overrides });
    const parent = mkdtempSync(join(tmpdir(), 'memgen-workers-'));
    await expect(runApp({ loaded, out: join(parent, 'run') })).rejects.toMatchObject({
      code: 'config',
      where: 'training.grpo.workers',
    });
    rmSync(parent, { recursive: true });
  });
});
