// Weaver GRPO by the packages alone: a half-trained weaver gets better by being told what was right.
import { rewardPerSample } from '@memgen/common';
import { assistantHeader, loadReasoner, openMemGen, saveMemGen, startBackend } from '@memgen/core';
import { trainWeaverGrpo } from '@memgen/grpo';
import { CheckpointFolder, loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import { createShop, exactMatch, modelFolder } from '@memgen/tiny-reasoner';
import { LatentWeaver } from '@memgen/weaver';

/**
 * @param from - checkpoint of a weaver, as `train-weaver.ts` leaves it after a few hundred steps.
 * @param folder - for checkpoints; the same call goes on from the newest.
 * @returns the mean reward of each step.
 */
export async function trainWeaverByReward(from: string, folder: string, { steps = 200 } = {}): Promise<number[]> {
  await startBackend();
  const reasoner = await loadReasoner(modelFolder());
  const { decoder, tokenizer, origin } = reasoner;
  const weaver = await LatentWeaver.load((await openMemGen(from, origin)).folderOf('weaver'), decoder);
  const prompts = createShop({ seed: 1 })
    .trainingRows(1600)
    .map(({ messages: [{ content }], answer }) => ({
      ids: tokenizer.encode(`<|im_start|>user\n${content}<|im_end|>\n${assistantHeader}`),
      task: { answer },
    }));
  const correct = rewardPerSample<{ answer: string }>({
    name: 'correct',
    score: ({ row, completion }) => exactMatch(completion, row.answer),
  });
  const checkpoints = new CheckpointFolder({ folder, everySteps: 20 });
  const newest = await checkpoints.open();
  const resume = newest && (await loadTrainingState(newest.path));
  if (resume !== undefined) restoreValues(resume.values, weaver.parameters());

  const rewards: number[] = [];
  await trainWeaverGrpo(reasoner, weaver, prompts, {
    ...{ steps, groupSize: 8, promptsPerStep: 8, batchSize: 32, maxCompletionLength: 48, maxInferencePoints: 0 },
    schedule: { kind: 'linear', peak: 3e-4, warmup: Math.min(5, steps) },
    adamW: { betas: [0.9, 0.98], rates: (name) => (name === 'weaver_to_reasoner.weight' ? 0.4 : 1) },
    rewards: [correct],
    onStep: ({ metrics }) => void rewards.push(metrics.reward!),
    checkpoint: {
      due: (step) => checkpoints.due(step),
      save: (step, optimizer) =>
        checkpoints.save(step, async (path) => {
          await saveTrainingState(path, step, optimizer, weaver.parameters());
          await saveMemGen(path, { reasoner: origin, weaver, generation: { maxInferencePoints: 0 } });
        }),
    },
    ...(resume && { resume }),
  });
  weaver.dispose();
  decoder.dispose();
  return rewards;
}

const [from, folder] = process.argv.slice(2);
if (import.meta.filename === process.argv[1] && from !== undefined && folder !== undefined) {
  console.log(await trainWeaverByReward(from, folder));
}
