// Trigger GRPO by the packages alone: where the memory of a finished weaver helps, and where it is in the way.
import { Random, rewardPerSample } from '@memgen/common';
import { assistantHeader, loadReasoner, openMemGen, saveMemGen, startBackend } from '@memgen/core';
import { trainTriggerGrpo } from '@memgen/grpo';
import { createShop, exactMatch, memoryMixRows, modelFolder } from '@memgen/tiny-reasoner';
import { LanguageModelTrigger } from '@memgen/trigger';
import { LatentWeaver } from '@memgen/weaver';
import { mkdir } from 'node:fs/promises';

/**
 * @param from - checkpoint of a trained weaver, as `train-weaver.ts` leaves it.
 * @param folder - gets weaver and trigger in the end; `MemGen.fromPretrained` reads them.
 * @returns of each step the mean reward and the share of the points at which latents went in.
 */
export async function trainTrigger(
  from: string,
  folder: string,
  { steps = 40, prompts: count = 480, promptsPerStep = 24 } = {},
): Promise<{ reward: number; weaveRate: number }[]> {
  await startBackend();
  const reasoner = await loadReasoner(modelFolder());
  const { decoder, tokenizer, origin } = reasoner;
  const weaver = await LatentWeaver.load((await openMemGen(from, origin)).folderOf('weaver'), decoder);
  const lora = { r: 16, alpha: 32, targetModules: ['q_proj', 'v_proj'] };
  const trigger = LanguageModelTrigger.initialize(decoder, { lora }, Random.fromSeed(1).fork('trigger'));
  const rows = memoryMixRows({ shop: createShop({ seed: 1 }), seed: 1, rows: count });
  const prompts = rows.map(({ messages: [{ content }], answer }) => ({
    ids: tokenizer.encode(`<|im_start|>user\n${content}<|im_end|>\n${assistantHeader}`),
    task: { answer },
  }));
  const correct = rewardPerSample<{ answer: string }>({
    name: 'correct',
    score: ({ row, completion }) => exactMatch(completion, row.answer),
  });

  const curve: { reward: number; weaveRate: number }[] = [];
  await trainTriggerGrpo(reasoner, trigger, prompts, {
    ...{ weaver, steps, groupSize: 4, promptsPerStep, batchSize: 96, maxCompletionLength: 48, maxInferencePoints: 0 },
    schedule: { kind: 'cosine', peak: 3e-3, warmup: Math.min(3, steps) },
    adamW: { betas: [0.9, 0.98] },
    // As in the paper: no more weaving than the well-rewarded answers need.
    penalty: { lambda: 0.1 },
    rewards: [correct],
    onStep: ({ metrics }) => void curve.push({ reward: metrics.reward!, weaveRate: metrics.weave_rate! }),
  });
  await mkdir(folder, { recursive: true });
  await saveMemGen(folder, { reasoner: origin, weaver, trigger, generation: { maxInferencePoints: 0 } });
  for (const part of [trigger, weaver, decoder]) part.dispose();
  return curve;
}

const [from, folder] = process.argv.slice(2);
if (import.meta.filename === process.argv[1] && from !== undefined && folder !== undefined) {
  console.log(await trainTrigger(from, folder));
}
