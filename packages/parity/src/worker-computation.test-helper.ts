// What the test of worker threads computes, in the main thread or as the entry of a worker.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '@memgen/common';
import {
  AdamW,
  clipGradients,
  disposeGradients,
  generate,
  loadReasoner,
  startBackend,
  trainingLoss,
  type BackendName,
} from '@memgen/core';
import { LatentWeaver } from '@memgen/weaver';
import * as tf from '@tensorflow/tfjs';

export interface Computation {
  /** Greedy text without and with latents. */
  generated: number[][];
  /** SHA-256 of the logits of every step. */
  logits: string;
  losses: number[];
  /** SHA-256 of the weaver's parameters after the training steps. */
  parameters: string;
  /** Tensors left behind. */
  left: number;
}

const model = fileURLToPath(new URL('../../tiny-reasoner/model', import.meta.url));

/** Loads the tiny reasoner, generates with and without a weaver, and trains the weaver for two steps. */
export async function computeAll(backend: BackendName): Promise<Computation> {
  await startBackend({ backend });
  const before = tf.memory().numTensors;
  const reasoner = await loadReasoner(model);
  const { decoder, tokenizer } = reasoner;
  const lora = { r: 4, alpha: 8, targetModules: ['q_proj', 'v_proj'] };
  const weaver = LatentWeaver.initialize(decoder, decoder.config.hiddenSize, { lora }, Random.fromSeed(5));
  const optimizer = new AdamW(weaver.parameters());

  const logits = createHash('sha256');
  const prompts = ['Prices: 5 bowl, 11 clock. How much is a bowl?', 'Prices: 2 pen.'].map((text) =>
    tokenizer.encode(text),
  );
  const generated: number[][] = [];
  for (const woven of [undefined, weaver]) {
    const rows = await generate(reasoner, prompts, {
      maxNewTokens: 12,
      weaver: woven,
      _onLogits: (_, __, values) => logits.update(Buffer.from(values.slice().buffer)),
    });
    generated.push(...rows.map(({ ids }) => ids));
  }

  const rows = prompts.map((ids) => ({
    ids,
    labels: ids.map((id, i) => (i < 4 ? -100 : id)),
    points: [{ index: 4, kind: 'prompt' as const }],
  }));
  const losses: number[] = [];
  for (let step = 0; step < 2; step++) {
    const { loss, gradients } = await trainingLoss(decoder, rows, { weaver });
    losses.push(loss);
    await clipGradients(gradients, 1);
    optimizer.step(gradients, 1e-3);
    disposeGradients(gradients);
  }
  const parameters = createHash('sha256');
  for (const variable of weaver.parameters().values()) {
    parameters.update(Buffer.from((await variable.data<'float32'>()).slice().buffer));
  }
  optimizer.dispose();
  weaver.dispose();
  decoder.dispose();
  return {
    generated,
    logits: logits.digest('hex'),
    losses,
    parameters: parameters.digest('hex'),
    left: tf.memory().numTensors - before,
  };
}

const given: unknown = workerData;
if (parentPort !== null && typeof given === 'object' && given !== null && 'backend' in given) {
  parentPort.postMessage(await computeAll(given.backend as BackendName));
}
