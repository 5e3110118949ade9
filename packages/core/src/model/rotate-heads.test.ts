// Heads against the same composed of tfjs's operations and those for its tape, with the gradients of that.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { randomValues, relativeDifference } from '../ops/operation-check.test-helper.js';
import { rmsNorm } from '../ops/rms-norm.js';
import { halfTurnMatrix, rotary } from '../ops/rotary.js';
import { rotaryFactors } from './attention-columns.js';
import type { DecoderConfig } from './decoder-config.js';
import { rotateHeads, type Heads } from './rotate-heads.js';

const [batch, heads, keyValueHeads, tokens, headSize] = [2, 4, 2, 3, 6];
const config = { heads, keyValueHeads, rmsNormEpsilon: 1e-5 } as DecoderConfig;

function random(shape: number[], seed: number): tf.Tensor {
  return tf.tensor(randomValues(shape, seed).data, shape);
}

beforeAll(() => startBackend({ backend: 'cpu' }));

it.each([
  { norms: false, rotates: true },
  { norms: true, rotates: true },
  { norms: true, rotates: false },
  { norms: false, rotates: false },
])('are split, normed ($norms) and rotated ($rotates), forwards and backwards', ({ norms, rotates }) => {
  const [queryNorm, keyNorm] = [11, 12].map((seed) => tf.variable(random([headSize], seed) as tf.Tensor1D));
  tf.tidy(() => {
    const rotation = { inverseFrequencies: [1, 0.3, 0.02], attentionScaling: 1 };
    const factors = rotates
      ? rotaryFactors([[0, 1, 7], [2, 0, 5]], rotation, halfTurnMatrix(headSize)) // prettier-ignore
      : undefined;
    const perHead = random([batch, heads + 2 * keyValueHeads, tokens, headSize], 1) as tf.Tensor4D;
    const compose = (x: tf.Tensor, weights: tf.Tensor[]): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] => {
      const [query, key, value] = tf.split(x, [heads, keyValueHeads, keyValueHeads], 1) as tf.Tensor4D[];
      const turned = [query!, key!].map((part, i) => {
        const normed = norms ? (rmsNorm(part, weights[i]!, config.rmsNormEpsilon) as tf.Tensor4D) : part;
        return factors === undefined ? normed : rotary(normed, factors);
      });
      return [turned[0]!, turned[1]!, value!];
    };
    const layer = norms ? { queryNorm: queryNorm!, keyNorm: keyNorm! } : {};
    const rotated = rotateHeads(perHead, layer, config, factors);
    const expected = compose(perHead, [queryNorm!, keyNorm!]);
    const got = [rotated.query, rotated.key, rotated.value];
    got.forEach((part, i) => {
      expect(part.shape).toEqual(expected[i]!.shape);
      expect(relativeDifference([...part.dataSync()], [...expected[i]!.dataSync()])).toBeLessThan(1e-5);
    });

    const outer = expected.map(({ shape }, i) => random(shape, 20 + i) as tf.Tensor4D);
    const loss = (x: tf.Tensor, ...weights: tf.Tensor[]) =>
      tf.addN(compose(x, weights).map((part, i) => tf.sum(tf.mul(part, outer[i]!)))).asScalar();
    const weights = norms ? [queryNorm!, keyNorm!] : [];
    const references = tf.grads(loss)([perHead, ...weights]);
    const collected = new Map<tf.Variable, tf.Tensor>();
    const gradients = { query: outer[0]!, key: outer[1]!, value: outer[2]! } satisfies Heads;
    const dPerHead = rotated.pullback(gradients, (variable, gradient) => collected.set(variable, gradient));
    expect([...collected.keys()]).toEqual(weights);
    [dPerHead, ...collected.values()].forEach((gradient, i) => {
      expect(gradient.shape).toEqual(references[i]!.shape);
      expect(relativeDifference([...gradient.dataSync()], [...references[i]!.dataSync()])).toBeLessThan(1e-5);
    });
  });
  tf.dispose([queryNorm!, keyNorm!]);
});
