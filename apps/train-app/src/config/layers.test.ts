import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadExperiment, parseExperiment } from './load-experiment.js';
import { printExperiment } from './print-experiment.js';

describe('layers of an experiment', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memgen-layers-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, ...lines: string[]): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  };
  const load = (file: string, overrides?: string[]) => loadExperiment({ file, overrides });

  describe('extends', () => {
    it('goes through several levels, relative to each file, group by group; the nearest file wins', async () => {
      write(
        'bases/root.yaml',
        'name: root',
        'seed: 7',
        'data: {task: tiny-shop, items: 5}',
        'training: {epochs: 3, batch_size: 2}',
      );
      write('bases/middle.yaml', 'extends: root.yaml', 'training:', '  batch_size: 6', '  betas: [0.5, 0.6]');
      const file = write('leaf.yaml', 'extends: bases/middle.yaml', 'name: leaf', 'training: {betas: [0.1, 0.2]}');
      const { resolved } = await load(file, ['training.batch_size=9']);
      expect(resolved).toMatchObject({ name: 'leaf', seed: 7, data: { items: 5 } });
      expect(resolved.training).toMatchObject({ epochs: 3, batch_size: 9, betas: [0.1, 0.2] });
      expect(resolved).not.toHaveProperty('extends');
    });

    it('takes a setting of the base back by null, and leaves the data of another task behind', async () => {
      write('base.yaml', 'name: base', 'data: {task: tiny-shop, items: 5}', 'training: {max_steps: 5, epochs: 4}');
      const file = write('a.yaml', 'extends: base.yaml', 'data: {task: gsm8k}', 'training: {max_steps: null}');
      const { resolved } = await load(file);
      expect(resolved.data).toEqual({ task: 'gsm8k', validation_rows: 200 });
      expect(resolved.training).toMatchObject({ epochs: 4 });
      expect(resolved.training.max_steps).toBeUndefined();
    });

    it('names the file and line that set a wrong value, whichever level it is', async () => {
      const base = write('base.yaml', 'name: base', 'data: {task: tiny-shop}', 'training:', '  epochs: -1');
      const file = write('a.yaml', 'extends: base.yaml', 'training:', '  batch_size: 2');
      await expect(load(file)).rejects.toMatchObject({ code: 'config', where: `${base}:4:3`, got: '-1' });
      const wrong = write('b.yaml', 'extends: base.yaml', 'training: {epochs: 1, batch_siz: 2}');
      await expect(load(wrong)).rejects.toMatchObject({
        where: `${wrong}:2:23`,
        hint: 'did you mean "batch_size"?',
      });
    });

    it('refuses a circle by its names, a missing base, and what is no file', async () => {
      const a = write('a.yaml', 'name: a', 'extends: sub/b.yaml');
      write('sub/b.yaml', 'extends: ../c.yaml');
      const c = write('c.yaml', 'extends: a.yaml');
      await expect(load(a)).rejects.toMatchObject({
        code: 'config-extends',
        where: `${c}:1:1`,
        got: 'a.yaml -> sub/b.yaml -> c.yaml -> a.yaml',
      });
      const self = write('self.yaml', 'extends: ./self.yaml');
      await expect(load(self)).rejects.toMatchObject({ got: 'self.yaml -> self.yaml' });
      const lost = write('lost.yaml', 'name: x', 'extends: none.yaml');
      await expect(load(lost)).rejects.toMatchObject({ code: 'file-not-found', where: `${lost}:2:1` });
      const list = write('list.yaml', 'extends: [a.yaml]');
      await expect(load(list)).rejects.toMatchObject({ code: 'config-extends', got: '["a.yaml"]' });
      await expect(load(a, ['extends=c.yaml'])).rejects.toMatchObject({ code: 'config-override' });
      for (let i = 0; i < 25; i++) write(`deep-${i}.yaml`, `extends: deep-${i + 1}.yaml`);
      await expect(load(join(folder, 'deep-0.yaml'))).rejects.toMatchObject({ got: 'more than 20 levels' });
    });
  });

  describe('names of the reference implementation', () => {
    it('mean our settings, in files and in --set', async () => {
      const file = write(
        'a.yaml',
        'name: a',
        'reasoner: {model_name: tiny}',
        'data: {task: tiny-shop}',
        'weaver:',
        '  prompt_latents_len: 4',
        '  inference_latents_len: 2',
        '  max_prompt_aug_num: 1',
        '  max_inference_aug_num: 3',
        '  lora_config: {r: 4, lora_alpha: 8, lora_dropout: 0.2, target_modules: [k_proj]}',
        'training:',
        '  per_device_train_batch_size: 3',
        '  per_device_eval_batch_size: 5',
        '  gradient_accumulation_steps: 2',
        '  learning_rate: 1e-4',
        '  num_train_epochs: 6',
        '  warmup_ratio: 0.2',
        '  max_grad_norm: 0.5',
        '  lr_scheduler_type: linear',
      );
      const { experiment } = await load(file, ['weaver.lora_config.lora_alpha=64', 'training.num_train_epochs=7']);
      expect(experiment.weaver).toMatchObject({ promptLatentsLen: 4, inferenceLatentsLen: 2, maxInferenceAugNum: 3 });
      expect(experiment.weaver.lora).toEqual({ r: 4, alpha: 64, dropout: 0.2, targetModules: ['k_proj'] });
      expect(experiment.training).toMatchObject({
        batchSize: 3,
        gradientAccumulation: 2,
        learningRate: 1e-4,
        epochs: 7,
        warmupRatio: 0.2,
        clipNorm: 0.5,
        schedule: 'linear',
      });
      expect(experiment.evaluation.batchSize).toBe(5);
      const group = await load(file, ['weaver.lora={r: 2, lora_dropout: 0}']);
      expect(group.experiment.weaver.lora).toMatchObject({ r: 2, alpha: 32, dropout: 0 });
    });

    it('are those of TRL for training by reward, in its group or beside it', async () => {
      const file = write(
        'a.yaml',
        'name: a',
        'data: {task: tiny-shop}',
        'trigger: {lora_config: {lora_alpha: 4}}',
        'training:',
        '  method: grpo',
        '  num_generations: 6',
        '  beta: 0.04',
        '  epsilon: 1e-6',
        '  grpo: {num_iterations: 2, epsilon: 0.3, importance_sampling_level: sequence}',
      );
      const { experiment } = await load(file, ['training.max_completion_length=7', 'training.grpo.num_generations=4']);
      expect(experiment.trigger.lora.alpha).toBe(4);
      // Beside it, epsilon is AdamW's.
      expect(experiment.training.epsilon).toBe(1e-6);
      expect(experiment.training.grpo).toMatchObject({
        groupSize: 4,
        iterations: 2,
        beta: 0.04,
        epsilon: 0.3,
        importanceSampling: 'sequence',
        maxCompletionLength: 7,
      });
    });

    it('are located as they were written', async () => {
      const file = write(
        'a.yaml',
        'name: a',
        'data: {task: tiny-shop}',
        'weaver:',
        '  lora_config:',
        '    lora_alpha: x',
      );
      await expect(load(file)).rejects.toMatchObject({ where: `${file}:5:5`, got: 'the text "x"' });
    });

    it('are suggested for a typo and for the wrong group, and refused beside our name', async () => {
      const start = ['name: a', 'data: {task: tiny-shop}'];
      const typo = write('a.yaml', ...start, 'training: {per_device_train_batchsize: 3}');
      await expect(load(typo)).rejects.toMatchObject({ hint: 'did you mean "per_device_train_batch_size"?' });
      const misplaced = write('b.yaml', ...start, 'lora_alpha: 3');
      await expect(load(misplaced)).rejects.toMatchObject({ hint: 'did you mean "weaver.lora.lora_alpha"?' });
      const twice = write('c.yaml', ...start, 'training:', '  batch_size: 3', '  per_device_train_batch_size: 4');
      await expect(load(twice)).rejects.toMatchObject({ code: 'config', where: `${twice}:5:3` });
      const dotted = write('d.yaml', ...start, 'weaver.lora_config: {r: 3}');
      await expect(load(dotted)).rejects.toThrow('unknown key "weaver.lora_config"');
    });
  });

  it('are printed as a file that loads to the same experiment', async () => {
    write('base.yaml', 'name: base', 'data: {task: gsm8k}');
    const loaded = await load(write('a.yaml', 'extends: base.yaml', 'training: {learning_rate: 1e-5}'));
    const { resolved } = loaded;
    const text = printExperiment(loaded);
    expect(text).toContain('learning_rate: 0.00001\n');
    expect(parseExperiment(parse(text), 'printed').resolved).toEqual(resolved);
    expect((await load(write('printed.yaml', text))).resolved).toEqual(resolved);
  });
});
