import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MemGenError } from '@memgen/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadExperiment, parseExperiment } from './load-experiment.js';
import { editorJsonSchema } from './schema-guide.js';

const configs = resolve(import.meta.dirname, '../../../../configs');
const minimal = ['name: test', 'data:', '  task: tiny-shop'].join('\n');

describe('loadExperiment', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memgen-config-'));
    file = join(folder, 'experiment.yaml');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const load = async (text: string, overrides?: string[]): ReturnType<typeof loadExperiment> => {
    writeFileSync(file, text);
    return await loadExperiment({ file, overrides });
  };
  const problemOf = async (text: string, overrides?: string[]): Promise<MemGenError> => {
    const error: unknown = await load(text, overrides).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (!MemGenError.isInstance(error)) throw new Error('no error', { cause: error });
    return error;
  };

  it('fills in the settings of the reference', async () => {
    const { experiment, resolved } = await load(minimal);
    expect(experiment.training).toMatchObject({
      learningRate: 1e-5,
      betas: [0.9, 0.999],
      warmupRatio: 0.1,
      maxLength: 1024,
    });
    expect(experiment.weaver).toMatchObject({ promptLatentsLen: 8, inferenceLatentsLen: 8, maxInferenceAugNum: 5 });
    expect(experiment.weaver.lora).toEqual({ r: 16, alpha: 32, dropout: 0.1, targetModules: ['q_proj', 'v_proj'] });
    expect(resolved.training.learning_rate).toBe(1e-5);
    expect(experiment.output).toBe('runs/{name}-{timestamp}');
  });

  it('lets the file win over defaults and --set over the file, the last one most', async () => {
    const text = `${minimal}\ntraining:\n  batch_size: 2\n  max_steps: 5\n`;
    const { experiment } = await load(text, [
      'training.learning_rate=1e-3',
      'training.batch_size=3',
      'training.batch_size=8',
      'training.max_steps=null',
      'evaluation.arms=[vanilla]',
      'weaver.lora.r=4',
    ]);
    expect(experiment.training).toMatchObject({ learningRate: 1e-3, batchSize: 8 });
    expect(experiment.training.maxSteps).toBeUndefined();
    expect(experiment.evaluation.arms).toEqual(['vanilla']);
    expect(experiment.weaver.lora).toMatchObject({ r: 4, alpha: 32 });
    const other = await load(minimal, ['data={task: gsm8k, source: /data}']);
    expect(other.experiment.data).toEqual({ task: 'gsm8k', source: '/data', validationRows: 200 });
  });

  it('loads its own resolved form again', async () => {
    const { resolved } = await load(minimal, ['seed=3']);
    const again: unknown = JSON.parse(JSON.stringify(resolved));
    expect(parseExperiment(again, 'manifest.json').resolved).toEqual(resolved);
    expect(() => parseExperiment({ ...resolved, seeed: 1 }, 'manifest.json')).toThrow('manifest.json: unknown key');
  });

  it('lets a resumed run change its evaluation and nothing else', async () => {
    const { resolved } = await load(minimal);
    const changed = parseExperiment(resolved, 'manifest.json', ['evaluation.batch_size=3', 'evaluation.arms=[weaver]']);
    expect(changed.experiment.evaluation).toMatchObject({ batchSize: 3, arms: ['weaver'] });
    expect(changed.resolved.training).toEqual(resolved.training);
    const failing = (text: string) => () => parseExperiment(resolved, 'manifest.json', [text]);
    for (const text of ['training.learning_rate=1', 'seed=2', 'evaluation={}', 'evaluation.max_new_tokens=9']) {
      expect(failing(text)).toThrow(expect.objectContaining({ code: 'config-override', where: `--set ${text}` }));
    }
    expect(failing('evaluation.batch_size=0')).toThrow(
      expect.objectContaining({ code: 'config', where: '--set evaluation.batch_size=0' }),
    );
  });

  it('names file, line, key and the key that was meant', async () => {
    const problem = await problemOf(`${minimal}\ntraining:\n  batch_size: 4\n  learning_rat: 1e-3\n`);
    expect(problem).toMatchObject({ code: 'config', where: `${file}:6:3`, hint: 'did you mean "learning_rate"?' });
    expect(problem.message).toContain('unknown key "learning_rat" in "training"');
    const misplaced = await problemOf(`${minimal}\nlearning_rate: 1e-3\n`);
    expect(misplaced.hint).toBe('did you mean "training.learning_rate"?');
    const inUnion = await problemOf('name: a\ndata:\n  task: gsm8k\n  items: 3\n');
    expect(inUnion).toMatchObject({ where: `${file}:4:3` });
    expect(inUnion.expected).toBe('one of: task, source, max_train_rows, validation_rows, test_rows');
  });

  it('says what was got and what belongs there', async () => {
    const wrong = await problemOf(`${minimal}\ntraining: {batch_size: four}\n`);
    expect(wrong).toMatchObject({
      where: `${file}:4:12`,
      got: 'the text "four"',
      expected: 'a whole number from 1 on',
    });
    const choice = await problemOf(`${minimal}\ntraining:\n  schedule: cosin\n`);
    expect(choice).toMatchObject({ got: 'the text "cosin"', hint: 'did you mean "cosine"?' });
    expect(choice.expected).toBe('"cosine" or "linear" or "constant"');
    const list = await problemOf(`${minimal}\nevaluation:\n  arms:\n    - vanilla\n    - weavr\n`);
    expect(list).toMatchObject({ where: `${file}:7:7`, hint: 'did you mean "weaver"?' });
    const pair = await problemOf(`${minimal}\ntraining: {betas: [0.9]}\n`);
    expect(pair.expected).toBe('a list of 2: a number from 0 below 1, a number from 0 below 1');
    const group = await problemOf(`${minimal}\nweaver: 8\n`);
    expect(group.expected).toMatch(/^a group of settings: from, prompt_latents_len, /);
    const pattern = await problemOf(minimal.replace('test', 'a/b'));
    expect(pattern.expected).toBe('letters, digits, dots, dashes and underscores');
  });

  it('asks for what has no default', async () => {
    const problem = await problemOf('data: {}\n');
    expect(problem.message).toContain('"name" is missing');
    expect(problem.hint).toContain('"data.task" is missing (expected "tiny-shop" or "tiny-mix" or ');
    expect((await problemOf('')).message).toContain('"data" is missing');
  });

  it('names the option when --set is at fault, and lists every fault', async () => {
    const option = await problemOf(minimal, ['training.epochs=-1']);
    expect(await problemOf(minimal, ['trainig.epochs=1'])).toMatchObject({ where: '--set trainig.epochs=1' });
    expect(option).toMatchObject({ where: '--set training.epochs=-1', got: '-1', expected: 'a number above 0' });
    const several = await problemOf(`${minimal}\ntraining: {epochs: -1}\ntrainng: {}\n`, ['seed=x']);
    expect(several.where).toBe(`${file}:5:1`);
    expect(several.hint).toContain('did you mean "training"?');
    expect(several.hint).toMatch(/--set seed=x: "seed" has .* \(expected a whole number from 0 to 4294967295\)/);
    expect(several.hint).toContain(`${file}:4:12: "training.epochs" has a value`);
    for (const wrong of ['training', 'a b=1', '__proto__.x=1', '=1']) {
      expect(await problemOf(minimal, [wrong])).toMatchObject({ code: 'config-override', where: `--set ${wrong}` });
    }
    expect(await problemOf(minimal, ['evaluation.arms=[vanilla'])).toMatchObject({ code: 'config-override' });
  });

  it('refuses what is not YAML, by line', async () => {
    expect(await problemOf('name: a\ndata: [b\nseed: 1\n')).toMatchObject({
      code: 'config-yaml',
      where: expect.stringMatching(/yaml:[23]:\d+$/),
    });
    expect(await problemOf('name: a\nname: b\n')).toMatchObject({ code: 'config-yaml', where: `${file}:2:1` });
    expect(await problemOf('- 1\n')).toMatchObject({ code: 'config-yaml', got: '[1]' });
    expect(await problemOf('name: !js/function x\n')).toMatchObject({ code: 'config-yaml' });
    expect(await problemOf(' '.repeat(1_000_001))).toMatchObject({ code: 'config-yaml', got: '1000001 bytes' });
    await expect(loadExperiment({ file: join(folder, 'none.yaml') })).rejects.toMatchObject({ code: 'file-not-found' });
    const nine = (item: string): string => `[${Array.from({ length: 9 }, () => item).join(', ')}]`;
    const letters = Array.from('abcdefghi');
    const bomb = letters.map((letter, i) => `${letter}: &${letter} ${nine(i === 0 ? 'x' : `*${letters[i - 1]!}`)}`);
    expect((await problemOf(bomb.join('\n'))).message).toContain('aliases');
  });
});

describe('configs/', () => {
  it('has a schema file that is up to date (pnpm --filter train-app config-schema)', () => {
    const written: unknown = JSON.parse(readFileSync(join(configs, 'experiment.schema.json'), 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(editorJsonSchema())));
  });

  it('tells editors in each experiment which schema it has', () => {
    const experiments = readdirSync(configs).filter((name) => name.endsWith('.yaml'));
    expect(experiments.length).toBeGreaterThan(1);
    for (const name of experiments) {
      const [first] = readFileSync(join(configs, name), 'utf8').split('\n');
      expect(first, name).toBe('# yaml-language-server: $schema=./experiment.schema.json');
    }
  });

  it('has a schema that knows the names of the reference and what a file may leave to its base', () => {
    const { properties, anyOf } = editorJsonSchema();
    expect(properties!.weaver!.properties!.lora_config!.properties).toHaveProperty('lora_alpha');
    expect(properties!.training!.properties!.per_device_train_batch_size).toMatchObject({
      type: 'integer',
      minimum: 1,
    });
    expect(anyOf).toEqual([{ required: ['name', 'data'] }, { required: ['extends'] }]);
  });

  it.each(readdirSync(configs).filter((name) => name.endsWith('.yaml')))('has %s, which loads', async (name) => {
    const { experiment } = await loadExperiment({ file: join(configs, name) });
    expect(experiment.name).toBe(name.replace('.yaml', ''));
    const { method, train, grpo } = experiment.training;
    if (method === 'grpo' && train === 'trigger') expect(grpo.penalty?.lambda).toBeGreaterThan(0);
  });

  it('ends the main job with a trigger over the same shop', async () => {
    const file = join(configs, 'tiny-shop.yaml');
    const { experiment, next } = await loadExperiment({ file, overrides: ['seed=7', 'next.training.max_steps=3'] });
    expect(experiment.training.maxSteps).toBeUndefined();
    expect(next?.next).toBeUndefined();
    expect(next?.experiment).toMatchObject({
      name: 'tiny-shop-trigger',
      seed: 7,
      weaver: experiment.weaver,
      data: { task: 'tiny-mix' },
      training: { method: 'grpo', train: 'trigger', maxSteps: 3 },
      evaluation: { arms: ['vanilla', 'random-weaver', 'weaver', 'weaver+trigger'] },
    });
  });

  it('has experiments with the settings that they are about', async () => {
    const tiny = await loadExperiment({ file: join(configs, 'tiny-shop.yaml') });
    expect(tiny.experiment.training).toMatchObject({
      learningRate: 1.2e-3,
      betas: [0.9, 0.98],
      warmupSteps: 10,
      epochs: 1,
    });
    expect(tiny.experiment.data).toMatchObject({ task: 'tiny-shop', items: 16, trainRows: 8000 });
    // The real one spells out what the reference does, so it must agree with the defaults.
    const real = await loadExperiment({ file: join(configs, 'gsm8k-smollm2-135m.yaml') });
    const { resolved: defaults } = parseExperiment({ name: 'x', data: { task: 'gsm8k' } }, 'test');
    expect({ ...real.resolved.training, checkpoint_every_seconds: 120 }).toEqual(defaults.training);
    expect(real.resolved.weaver).toEqual(defaults.weaver);
    const short = await loadExperiment({ file: join(configs, 'gsm8k-first-look.yaml') });
    expect(short.resolved).toEqual({
      ...real.resolved,
      name: 'gsm8k-first-look',
      data: { ...real.resolved.data, validation_rows: 40, test_rows: 20 },
      training: { ...real.resolved.training, max_steps: 300 },
    });
  });
});
