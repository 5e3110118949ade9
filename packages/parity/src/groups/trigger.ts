// Group c, trigger: its logits at every token, and the gradients of a plain cross entropy.
import { AttentionColumns, Tape } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { tolerances, type Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { openTrigger } from '../golden-trigger.js';
import { adapterConfig } from '../golden-weaver.js';
import { atRealTokens } from '../padded-rows.js';
import { triggerLayoutOf } from './memgen-layout.js';

const meta = z.object({ loss: z.number() });

export async function checkTrigger(golden: GoldenCase, compare: Comparison): Promise<void> {
  const { loss } = await golden.json(meta, 'meta.json');
  const io = await golden.tensors('io.safetensors');
  const { base: name, lora } = await triggerLayoutOf(golden);
  const base = await golden.decoder(golden.modelFolder(name));
  const state = await golden.tensors('..', 'state.safetensors');
  const { trigger, officialNames } = await openTrigger(golden, base, adapterConfig(lora), state);
  const [ids, mask, targets] = [await io.rows('input_ids'), await io.rows('attention_mask'), await io.rows('targets')];
  compare.exact('position ids', new AttentionColumns(mask.length).append(mask), await io.rows('position_ids'));

  for (const checkpointing of [true, false]) {
    const suffix = checkpointing ? ' (checkpointed)' : '';
    const tape = golden.own(new Tape({ checkpointing }));
    const session = golden.own(trigger.begin({ batch: mask.length, execution: tape, ownership: 'parts' }));
    const logits = session.judge(ids, mask);
    const values = Float32Array.from(await logits.data());
    const want = atRealTokens(await io.floats('logits'), mask);
    compare.numbers(`logits${suffix}`, atRealTokens(values, mask), want, tolerances.logits);

    const { mean, gradient } = crossEntropy(values, targets.flat(), mask.flat());
    compare.numbers(`loss${suffix}`, [mean], [loss], tolerances.loss);
    const seed = golden.own(tf.tensor2d(gradient, [values.length / 2, 2]));
    const gradients = tape.backward([{ output: logits, gradient: seed }]);
    for (const [parameter, variable] of trigger.parameters()) {
      const found = golden.own(gradients.get(variable)!);
      const turned = golden.own(tf.tidy(() => (found.rank === 2 ? tf.transpose(found) : found.clone())));
      const recorded = await io.floats(`grad.${officialNames.get(parameter)!}`);
      compare.numbers(`gradient of ${parameter}${suffix}`, await turned.data(), recorded, tolerances.gradient);
    }
  }
}

/** Mean over attended places, and its gradient with respect to the logits of two classes. */
function crossEntropy(
  logits: Float32Array,
  targets: readonly number[],
  mask: readonly number[],
): { mean: number; gradient: Float32Array } {
  const count = mask.reduce((sum, real) => sum + real, 0);
  const gradient = new Float32Array(logits.length);
  let sum = 0;
  targets.forEach((target, i) => {
    if (mask[i] === 0) return;
    const [first, second] = [logits[2 * i]!, logits[2 * i + 1]!];
    const weave = 1 / (1 + Math.exp(first - second));
    sum -= Math.log(target === 1 ? weave : 1 - weave);
    gradient[2 * i + 1] = (weave - target) / count;
    gradient[2 * i] = -gradient[2 * i + 1]!;
  });
  return { mean: sum / count, gradient };
}
