// The loss of plain sequences against one sequence at a time, and its gradients.
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend/index.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { decoderParameters } from './decoder-weights.js';
import type { Decoder } from './decoder.js';
import { languageModelLoss, type PlainSequence } from './language-model-loss.js';
import { randomIds, readAtOnce, tinyConfig, trainableDecoder } from './tiny-decoder.test-helper.js';

beforeAll(() => startBackend({ backend: 'wasm' }));

/** -log p of each labelled token, from hidden states read without padding. */
function lossByHand(decoder: Decoder, { ids, labels }: PlainSequence): number {
  const size = decoder.config.hiddenSize;
  const [hidden] = readAtOnce(decoder, [ids]);
  const logits = tf.tidy(() => decoder.logits(tf.tensor2d(hidden!, [ids.length, size])).arraySync());
  return labels.reduce((sum, label, t) => {
    if (label < 0 || t === 0) return sum;
    const row = logits[t - 1]!;
    return sum + Math.log(row.reduce((total, logit) => total + Math.exp(logit), 0)) - row[label]!;
  }, 0);
}

function sequence(length: number, labelled: readonly number[], seed: number): PlainSequence {
  const ids = randomIds(length, seed);
  return { ids, labels: ids.map((id, t) => (labelled.includes(t) ? id : -100)) };
}

describe('languageModelLoss', () => {
  const config = tinyConfig();
  const rows = [sequence(7, [2, 3, 6], 1), sequence(3, [1, 2], 2), sequence(5, [0, 4], 3)];

  it('sums over the labelled tokens of rows of any length; a label of the first token does not count', () => {
    const before = tf.memory().numTensors;
    const decoder = trainableDecoder(config);
    const { loss, tokens } = tf.tidy(() => {
      const result = languageModelLoss(decoder, rows);
      return { loss: result.loss.dataSync()[0]!, tokens: result.tokens };
    });
    const expected = rows.reduce((sum, row) => sum + lossByHand(decoder, row), 0);
    expect(tokens).toBe(6);
    expect(Math.abs(loss - expected)).toBeLessThan(1e-4 * expected);
    decoder.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('has gradients that add up over the rows', () => {
    const decoder = trainableDecoder(config);
    const variables = [...decoderParameters(decoder.weights).values()];
    const gradientsOf = (chosen: PlainSequence[]) =>
      tf.variableGrads(() => languageModelLoss(decoder, chosen).loss, variables).grads;
    const together = gradientsOf(rows);
    const apart = rows.map((row) => gradientsOf([row]));
    for (const { name } of variables) {
      const sum = tf.tidy(() => tf.addN(apart.map((gradients) => gradients[name]!)).dataSync());
      expect(relativeDifference(together[name]!.dataSync(), sum)).toBeLessThan(1e-4);
    }
    tf.dispose([together, apart]);
    decoder.dispose();
  });

  it('has the gradient of its value, by finite differences along a random direction', () => {
    const decoder = trainableDecoder(config);
    const parameters = decoderParameters(decoder.weights);
    const variables = [...parameters.values()];
    const { value, grads } = tf.variableGrads(() => languageModelLoss(decoder, rows).loss, variables);
    const lossAt = (variable: tf.Variable, values: tf.Tensor): number =>
      tf.tidy(() => {
        const kept = variable.clone();
        variable.assign(values);
        const loss = languageModelLoss(decoder, rows).loss.dataSync()[0]!;
        variable.assign(kept);
        return loss;
      });
    for (const name of ['embedding', 'layers.0.queryKeyValue.weight', 'layers.1.gateUp.weight', 'finalNorm']) {
      const variable = parameters.get(name)!;
      tf.tidy(() => {
        // Along the normalised gradient the derivative is the gradient's norm, far above float32's rounding.
        const norm = tf.norm(grads[variable.name]!);
        const step = tf.mul(tf.div(grads[variable.name]!, norm), 1e-2);
        const slope = (lossAt(variable, tf.add(variable, step)) - lossAt(variable, tf.sub(variable, step))) / 2e-2;
        const expected = norm.dataSync()[0]!;
        expect(Math.abs(slope - expected), name).toBeLessThan(1e-2 * expected);
      });
    }
    tf.dispose([value, grads]);
    decoder.dispose();
  });
});
