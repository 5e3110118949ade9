// Several optimizers as one: who steps what, at which rate, and whose state is whose.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { AdamW } from './adamw.js';
import { combineOptimizers } from './combined-optimizer.js';
import { Muon } from './muon.js';
import type { Optimizer } from './optimizer.js';
import { randomParameters, takeSteps, valuesOf } from './optimizer-check.test-helper.js';

const shapes = { matrix: [3, 4], vector: [5] };
let before: number;
let parameters: Map<string, tf.Variable>;

beforeEach(async () => {
  await startBackend({ backend: 'wasm' });
  before = tf.memory().numTensors;
  parameters = randomParameters(shapes);
});
afterEach(() => {
  tf.dispose([...parameters.values()]);
  expect(tf.memory().numTensors).toBe(before);
});

function only(all: ReadonlyMap<string, tf.Variable>, name: string): Map<string, tf.Variable> {
  return new Map([[name, all.get(name)!]]);
}

function combined(all: ReadonlyMap<string, tf.Variable>): Optimizer {
  return combineOptimizers([
    { optimizer: new Muon(only(all, 'matrix')), rate: 0.5 },
    { optimizer: new AdamW(only(all, 'vector')) },
  ]);
}

describe('combineOptimizers', () => {
  it('lets each step its own parameters at its own rate', () => {
    const twin = randomParameters(shapes);
    const optimizer = combined(parameters);
    const [muon, adamW] = [new Muon(only(twin, 'matrix')), new AdamW(only(twin, 'vector'))];
    takeSteps(optimizer, parameters, 0, 3, 0.2);
    takeSteps(muon, twin, 0, 3, 0.1);
    takeSteps(adamW, twin, 0, 3, 0.2);
    expect(valuesOf(parameters)).toEqual(valuesOf(twin));
    expect(['matrix', 'vector', 'other'].map((name) => optimizer.knows(name))).toEqual([true, true, false]);
    for (const owner of [optimizer, muon, adamW]) owner.dispose();
    tf.dispose([...twin.values()]);
  });

  it('exports and imports the state of all, bit by bit', async () => {
    const twin = randomParameters(shapes);
    const [optimizer, first, second] = [combined(parameters), combined(twin), combined(twin)];
    takeSteps(optimizer, parameters, 0, 4);
    takeSteps(first, twin, 0, 1);
    const state = await first.exportState();
    expect([...state.keys()].sort()).toEqual(['matrix|momentum', 'vector|count', 'vector|mean', 'vector|square']);
    second.importState(state);
    takeSteps(second, twin, 1, 4);
    expect(valuesOf(twin)).toEqual(valuesOf(parameters));
    for (const owner of [optimizer, first, second]) owner.dispose();
    tf.dispose([...twin.values()]);
  });

  it('refuses a state that belongs to none of them', () => {
    const optimizer = combined(parameters);
    const state = new Map([['stranger|mean', { shape: [5], data: new Float32Array(5) }]]);
    expect(() => {
      optimizer.importState(state);
    }).toThrow(/stranger\|mean.*does not belong/);
    optimizer.dispose();
  });
});
