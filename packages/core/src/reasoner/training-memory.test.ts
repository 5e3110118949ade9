// The estimate for training against the peak that the engine counts in a real pass.
import { Random } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { LatentWeaver } from '../../../weaver/src/index.js';
import { startBackend } from '../backend/index.js';
import { trainingLoss, type WovenRow } from '../memgen/index.js';
import type { DecoderConfig } from '../model/decoder-config.js';
import { frozenDecoder, randomIds, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { estimateTrainingMemory, type TrainingSizes } from './training-memory.js';

// Like tensorflow and webgpu, and unlike wasm, it makes every operation of tfjs by itself.
beforeAll(() => startBackend({ backend: 'cpu' }));

const sizes = {
  rows: 2,
  promptTokens: 24,
  completionTokens: 36,
  inferencePoints: 3,
  promptLatents: 5,
  inferenceLatents: 4,
} satisfies TrainingSizes;
const config = tinyConfig({ hidden_size: 48, intermediate_size: 96, num_hidden_layers: 3, head_dim: 8 });

/** Bytes that one pass needs on top of model and weaver, and the weaver's parameters. */
async function measure(
  config: DecoderConfig,
  lora: NonNullable<TrainingSizes['lora']>,
  gradientCheckpointing: boolean,
) {
  const decoder = await frozenDecoder(config);
  const random = Random.fromSeed(1);
  const { promptLatents, inferenceLatents, rows, inferencePoints: points, promptTokens, completionTokens } = sizes;
  const weaver = LatentWeaver.initialize(
    decoder,
    config.hiddenSize,
    { promptLatents, inferenceLatents, lora: { ...lora, alpha: 8, dropout: 0.1 } },
    random,
  );
  const batch = Array.from({ length: rows }, (_, seed): WovenRow => {
    const ids = randomIds(promptTokens + completionTokens, seed);
    const inference = Array.from({ length: points }, (__, i) => ({
      index: promptTokens + ((i + 1) * completionTokens) / (points + 1),
      kind: 'inference' as const,
    }));
    return {
      ids,
      labels: ids.map((id, i) => (i < promptTokens ? -100 : id)),
      points: [{ index: promptTokens, kind: 'prompt' }, ...inference],
    };
  });
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(async () => {
    const { gradients } = await trainingLoss(decoder, batch, { weaver, gradientCheckpointing, dropoutSeed: 1 });
    tf.dispose([...gradients.values()]);
    return tf.scalar(0);
  });
  const parameters = [...weaver.parameters().values()].reduce((sum, { size }) => sum + size, 0);
  weaver.dispose();
  decoder.dispose();
  return { peak: peakBytes - before, parameters };
}

const reference = { r: 4, targetModules: ['q_proj', 'v_proj'] };
const everywhere = {
  r: 2,
  targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};

describe('estimateTrainingMemory', () => {
  // Never less than is needed; more where kernels do several operations in one.
  it.each([
    ['layers recomputed', config, reference, true, 1.5],
    ['queries and keys normed', { ...config, queryKeyNorm: true }, reference, true, 1.5],
    ['every module adapted', config, everywhere, true, 1.5],
    ['a large vocabulary', { ...config, vocabularySize: 3000 }, reference, true, 1.5],
    ['activations kept', config, reference, false, 2],
    ['every module adapted, activations kept', config, everywhere, false, 2],
  ])('is the peak of a pass with %s', async (_, config, lora, gradientCheckpointing, most) => {
    const { peak, parameters } = await measure(config, lora, gradientCheckpointing);
    const estimate = estimateTrainingMemory(config, { ...sizes, lora, gradientCheckpointing });
    expect(estimate.parameters).toBe(16 * parameters);
    const ratio = (estimate.activations + estimate.scratch) / peak;
    expect(ratio).toBeGreaterThan(0.99);
    expect(ratio).toBeLessThan(most);
  });

  it('grows with the rows, and most of it with the layers only where activations are kept', () => {
    const estimate = (changes: Partial<TrainingSizes>, layers = 3) =>
      estimateTrainingMemory({ ...config, layers }, { ...sizes, ...changes });
    const one = estimate({ rows: 1 });
    expect(estimate({ rows: 3 }).activations).toBe(3 * one.activations);
    expect(estimate({}, 30).scratch).toBe(estimate({}, 3).scratch);
    expect(estimate({ gradientCheckpointing: false }).activations).toBeGreaterThan(2 * estimate({}).activations);
  });

  it('takes the settings of the reference by default', () => {
    const given = { rows: 4, inferencePoints: 5, promptLatents: 8, inferenceLatents: 8, gradientCheckpointing: true };
    const lengths = { promptTokens: 100, completionTokens: 60 };
    const lora = { r: 16, targetModules: ['q_proj', 'v_proj'] };
    expect(estimateTrainingMemory(config, lengths)).toEqual(
      estimateTrainingMemory(config, { ...lengths, ...given, lora }),
    );
  });
});
