// The state of a trainer on disk: bit-equal round trips, and states that are damaged or of another model.
import { AdamW, startBackend } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomParameters, takeSteps } from '../../core/src/optimization/optimizer-check.test-helper.js';
import { loadTrainingState, restoreValues, saveTrainingState } from './training-state.js';

let root: string;
let folder: string;
let count = 0;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  root = await mkdtemp(join(tmpdir(), 'memgen-state-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  folder = join(root, String(count++));
  await mkdir(folder);
});

describe('saveTrainingState and loadTrainingState', () => {
  it('keep the step, the optimizer and the weights to the bit', async () => {
    const before = tf.memory().numTensors;
    const parameters = randomParameters({ 'layers.0.weight': [2, 3], bias: [3] });
    const optimizer = new AdamW(parameters);
    takeSteps(optimizer, parameters, 0, 3);
    await saveTrainingState(folder, 3, optimizer, parameters);
    const state = await loadTrainingState(folder);
    expect(state.step).toBe(3);
    expect(new Map([...state.optimizerState].sort())).toEqual(new Map([...(await optimizer.exportState())].sort()));
    expect(state.optimizerState.get('bias|count')!.data).toEqual(Float32Array.of(3));

    const fresh = randomParameters({ 'layers.0.weight': [2, 3], bias: [3] }, 2);
    restoreValues(state.values, fresh);
    for (const [name, variable] of fresh) expect(variable.dataSync()).toEqual(parameters.get(name)!.dataSync());
    optimizer.dispose();
    tf.dispose([...parameters.values(), ...fresh.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leave the weights out where they are kept elsewhere', async () => {
    const parameters = randomParameters({ bias: [3] });
    const optimizer = new AdamW(parameters);
    takeSteps(optimizer, parameters, 0, 1);
    await saveTrainingState(folder, 1, optimizer);
    expect((await loadTrainingState(folder)).values.size).toBe(0);
    optimizer.dispose();
    tf.dispose([...parameters.values()]);
  });

  it.each([['{}'], ['{"step": -1}'], ['{"step": 1.5}'], ['{"step": "3"}']])('refuse the step of %s', async (json) => {
    await writeFile(join(folder, 'trainer.json'), json);
    await expect(loadTrainingState(folder)).rejects.toMatchObject({
      code: 'training-state',
      where: join(folder, 'trainer.json'),
      expected: 'a whole number',
    });
  });

  it('refuse a folder without them', async () => {
    await expect(loadTrainingState(folder)).rejects.toMatchObject({ code: 'file-not-found' });
    await writeFile(join(folder, 'trainer.json'), '{"step": 1}');
    await expect(loadTrainingState(folder)).rejects.toMatchObject({ code: 'file-not-found' });
  });
});

describe('progress', () => {
  const evaluation = { step: 4, best: { step: 2, loss: 0.1 + 0.2 }, withoutImprovement: 1 };
  const settings = { seed: '3' };

  it('is kept to the bit', async () => {
    const optimizer = new AdamW(new Map());
    await saveTrainingState(folder, 4, optimizer, new Map(), { evaluation, settings });
    expect(await loadTrainingState(folder)).toMatchObject({ step: 4, evaluation, settings });
    await saveTrainingState(folder, 4, optimizer);
    expect(Object.keys(await loadTrainingState(folder))).toEqual(['step', 'optimizerState', 'values']);
    optimizer.dispose();
  });

  it.each([
    { evaluation: null },
    { evaluation: [] },
    { evaluation: { ...evaluation, step: -1 } },
    { evaluation: { ...evaluation, best: { step: 1, loss: null } } },
    { evaluation: { ...evaluation, withoutImprovement: 'many' } },
    { settings: { seed: 3 } },
    { settings: 'none' },
  ])('refuses %j', async (json) => {
    await writeFile(join(folder, 'trainer.json'), JSON.stringify({ step: 1, ...json }));
    await expect(loadTrainingState(folder)).rejects.toMatchObject({
      code: 'training-state',
      where: join(folder, 'trainer.json'),
    });
  });
});

describe('restoreValues', () => {
  it.each([
    ['a weight that is missing', new Map(), 'nothing'],
    ['one of another shape', new Map([['bias', { shape: [1, 3], data: new Float32Array(3) }]]), '[1, 3]'],
  ])('refuses %s, by name', (_, values, got) => {
    const parameters = randomParameters({ bias: [3] });
    expect(() => {
      restoreValues(values, parameters);
    }).toThrow(expect.objectContaining({ code: 'training-state', where: 'bias', got, expected: '[3]' }));
    tf.dispose([...parameters.values()]);
  });
});
