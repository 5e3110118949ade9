// Reasoner, weaver and trigger on one base model hold its weights once.
import { Random } from '@memgen/common';
import { generate, loadReasoner, startBackend, trainingLoss, type WovenRow } from '@memgen/core';
import { modelFolder } from '@memgen/tiny-reasoner';
import { LatentWeaver } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { LanguageModelTrigger } from './language-model-trigger.js';

it('parts that share a base model add their own parameters to memory, and nothing else, also in use', async () => {
  await startBackend({ backend: 'wasm' });
  const empty = tf.memory().numBytes;
  const reasoner = await loadReasoner(modelFolder());
  const { decoder, tokenizer } = reasoner;
  const base = tf.memory().numBytes - empty;
  const lora = { r: 4, alpha: 8, targetModules: ['q_proj', 'v_proj'] };
  const config = { promptLatents: 2, inferenceLatents: 2, lora };
  const weaver = LatentWeaver.initialize(decoder, decoder.config.hiddenSize, config, Random.fromSeed(1));
  const trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(2));
  const own = [...weaver.parameters().values(), ...trigger.parameters().values()].reduce(
    (sum, { size }) => sum + 4 * size,
    0,
  );
  const all = empty + base + own;
  expect(tf.memory().numBytes).toBe(all);
  expect(own).toBeLessThan(base / 10);

  const prompt = tokenizer.encode('<|im_start|>user\nHow much?<|im_end|>\n<|im_start|>assistant\n');
  const row: WovenRow = {
    ids: [...prompt, ...prompt.slice(0, 4)],
    labels: [...prompt.map(() => -100), ...prompt.slice(0, 4)],
    points: [{ index: prompt.length, kind: 'prompt' }],
  };
  // Room for caches and activations of a short text, but for no second copy of the weights.
  const { peakBytes } = await tf.profile(async () => {
    await generate(reasoner, [prompt], { maxNewTokens: 4, weaver, trigger, decoding: 'backend' });
    const { gradients } = await trainingLoss(decoder, [row], { weaver });
    tf.dispose([...gradients.values()]);
    return tf.scalar(0);
  });
  expect(peakBytes).toBeLessThan(all + base / 2);
  weaver.dispose();
  trigger.dispose();
  expect(tf.memory().numBytes).toBeLessThanOrEqual(empty + base + 4);
  decoder.dispose();
});
