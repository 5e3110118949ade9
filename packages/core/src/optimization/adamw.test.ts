// AdamW against the same arithmetic in plain JavaScript, and its state across a restart.
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { AdamW, decaysByDefault, type AdamWOptions } from './adamw.js';
import { randomParameters, randomTensor, takeSteps, valuesOf } from './optimizer-check.test-helper.js';

const shapes = { 'layer.weight': [2, 3], 'layer.bias': [3], queries: [4] };
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

/** torch.optim.AdamW for one parameter; a step without gradient (undefined) leaves everything as it is. */
function adamWReference(
  start: readonly number[],
  gradients: readonly (ArrayLike<number> | undefined)[],
  rates: readonly number[],
  { betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0 }: AdamWOptions,
): number[] {
  return start.map((initial, i) => {
    let [value, mean, square, count] = [initial, 0, 0, 0];
    gradients.forEach((gradient, step) => {
      if (gradient === undefined) return;
      count++;
      value *= 1 - rates[step]! * weightDecay;
      mean = beta1 * mean + (1 - beta1) * gradient[i]!;
      square = beta2 * square + (1 - beta2) * gradient[i]! ** 2;
      const corrected = Math.sqrt(square / (1 - beta2 ** count));
      value -= (rates[step]! * (mean / (1 - beta1 ** count))) / (corrected + epsilon);
    });
    return value;
  });
}

describe('AdamW', () => {
  const rates = [0.1, 0.05, 0.2, 0.01, 0.1];

  it.each<[string, AdamWOptions]>([
    ['its defaults', {}],
    ['weight decay', { weightDecay: 0.3 }],
    ['other betas and epsilon', { betas: [0.5, 0.8], epsilon: 0.1 }],
  ])('computes what PyTorch computes with %s, also where a parameter has no gradient for a while', (_, options) => {
    const optimizer = new AdamW(parameters, options);
    const initial = valuesOf(parameters);
    const gradients = rates.map((_, step) =>
      Object.fromEntries(
        Object.entries(shapes).flatMap(([name, shape]) =>
          name === 'queries' && (step === 0 || step === 2) ? [] : [[name, randomTensor(shape, `${step} ${name}`)]],
        ),
      ),
    );
    gradients.forEach((ofStep, step) => {
      optimizer.step(new Map(Object.entries(ofStep).map(([name, g]) => [parameters.get(name)!, g])), rates[step]!);
    });
    for (const [name, variable] of parameters) {
      const decays = name === 'layer.bias' ? { ...options, weightDecay: 0 } : options;
      const ofName = gradients.map((ofStep) => (ofStep[name] as tf.Tensor | undefined)?.dataSync());
      const expected = adamWReference(initial[name]!, ofName, rates, decays);
      expect(relativeDifference(variable.dataSync(), expected), name).toBeLessThan(1e-5);
    }
    tf.dispose(gradients);
    optimizer.dispose();
  });

  it('leaves parameters alone that have no gradient, and gradients of unknown variables', () => {
    const optimizer = new AdamW(parameters, { weightDecay: 0.5 });
    const initial = valuesOf(parameters);
    const stranger = tf.tidy(() => tf.variable(tf.ones([2])));
    const gradient = tf.ones([2]);
    optimizer.step(new Map([[stranger, gradient]]), 0.1);
    expect(valuesOf(parameters)).toEqual(initial);
    expect([...stranger.dataSync()]).toEqual([1, 1]);
    expect(gradient.isDisposed).toBe(false);
    tf.dispose([stranger, gradient]);
    optimizer.dispose();
  });

  it('takes another rule for what decays', () => {
    const initial = valuesOf(parameters);
    const optimizer = new AdamW(parameters, { weightDecay: 0.5, decays: (name) => name === 'layer.bias' });
    const zeros = new Map([...parameters.values()].map((variable) => [variable, tf.zerosLike(variable)]));
    optimizer.step(zeros, 0.1);
    const values = valuesOf(parameters);
    expect(values.queries).toEqual(initial.queries);
    expect(relativeDifference(values['layer.bias']!, initial['layer.bias']!.map((value) => value * 0.95))).toBeLessThan(1e-6); // prettier-ignore
    tf.dispose([...zeros.values()]);
    optimizer.dispose();
  });

  it('takes another learning rate for what is named', () => {
    const initial = valuesOf(parameters);
    const optimizer = new AdamW(parameters, { rates: (name) => (name === 'queries' ? 0.25 : 1) });
    const ones = new Map([...parameters.values()].map((variable) => [variable, tf.onesLike(variable)]));
    optimizer.step(ones, 0.1);
    const values = valuesOf(parameters);
    // The first step of Adam is the learning rate itself.
    const moved = (name: string) => initial[name]![0]! - values[name]![0]!;
    expect(moved('layer.bias')).toBeCloseTo(0.1, 5);
    expect(moved('queries')).toBeCloseTo(0.025, 5);
    tf.dispose([...ones.values()]);
    optimizer.dispose();
  });

  it('goes on from an exported state bit by bit', async () => {
    const optimizer = new AdamW(parameters, { weightDecay: 0.1 });
    const twin = randomParameters(shapes);
    const first = new AdamW(twin, { weightDecay: 0.1 });
    takeSteps(optimizer, parameters, 0, 5);
    takeSteps(first, twin, 0, 2);
    const state = await first.exportState();
    first.dispose();
    const second = new AdamW(twin, { weightDecay: 0.1 });
    second.importState(state);
    takeSteps(second, twin, 2, 5);
    expect(valuesOf(twin)).toEqual(valuesOf(parameters));
    expect(await second.exportState()).toEqual(await optimizer.exportState());
    optimizer.dispose();
    second.dispose();
    tf.dispose([...twin.values()]);
  });

  it.each([
    ['an unknown parameter', 'stranger|mean', [4]],
    ['an unknown kind', 'queries|momentum', [4]],
    ['another shape', 'queries|mean', [2, 2]],
  ])('refuses a state of %s', (_, key, shape) => {
    const optimizer = new AdamW(parameters);
    const state = new Map([[key, { shape, data: new Float32Array(4) }]]);
    const failure = { code: 'optimizer-state', where: key, got: `[${shape.join(', ')}]` };
    expect(() => {
      optimizer.importState(state);
    }).toThrow(expect.objectContaining(failure));
    optimizer.dispose();
  });
});

describe('decaysByDefault', () => {
  it.each(['layers.0.self_attn.q_proj.lora_A', 'prompt_query_latents', 'prompt_latent_scale', 'embedding'])(
    'lets %s decay',
    (name) => {
      expect(decaysByDefault(name)).toBe(true);
    },
  );

  it.each([
    'reasoner_to_weaver.bias',
    'prompt_latent_ln.weight',
    'inference_latent_ln.bias',
    'layers.0.attentionNorm',
    'layers.3.queryKeyValue.bias',
    'finalNorm',
  ])('keeps %s as it is', (name) => {
    expect(decaysByDefault(name)).toBe(false);
  });
});
