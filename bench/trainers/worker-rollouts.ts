// Rollouts of a weaver's training in the thread itself, whose step decoder has all processors, and in workers with one each.
import { Random } from '@memgen/common';
import { startBackend } from '@memgen/core';
import { answerPrompts, reasonerPlayer, RolloutWorkers, type PolicyPrompt } from '@memgen/grpo';
import { seconds } from '../frame/measure.js';
import type { Reporter } from '../frame/reporter.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant } from '../variants.js';
import { newWeaver, weaverSettings } from './parts.js';

/** A prompt is a shard, so two workers have two each. */
export const rolloutWork = { prompts: 4, groupSize: 8, promptTokens: 64, newTokens: 32 };

export async function run({ backend, dtype, model, quick }: JobSettings, reporter: Reporter): Promise<void> {
  await startBackend({ backend });
  const reasoner = await loadVariant({ backend, dtype, model });
  const weaver = newWeaver(reasoner);
  const { groupSize, promptTokens, newTokens } = rolloutWork;
  const asked = prompts(reasoner, rolloutWork.prompts, promptTokens);
  const drawing = { groupSize, temperature: 1, maxCompletionLength: newTokens };
  const player = reasonerPlayer({
    model,
    weaver: { module: import.meta.resolve('@memgen/weaver'), name: 'LatentWeaver', config: weaverSettings },
  });
  const teams: RolloutWorkers[] = [];
  try {
    for (const workers of [1, 2]) teams.push(await RolloutWorkers.start({ player, workers }));
    const own = asked.map((ids): PolicyPrompt<undefined> => ({ ids, task: undefined }));
    const random = () => Random.fromSeed(1);
    const ways = [
      { workers: 0, play: () => answerPrompts(reasoner, own, random(), { ...drawing, weaver }) },
      ...teams.map((team) => {
        const request = { decoder: reasoner.decoder, parts: { weaver }, drawing, work: { prompts: asked } };
        return { workers: team.workers, play: () => team.play({ ...request, random: random() }) };
      }),
    ].map((way) => ({ ...way, samples: new Array<number>() }));
    // One round that warms up; taken in turn, so that a busy moment of the machine hits all.
    for (let round = 0; round <= (quick ? 2 : 5); round++) {
      for (const { play, samples } of ways) {
        let tokens = 0;
        const taken = await seconds(async () => {
          for (const { turns } of await play()) tokens += turns.reduce((sum, { ids }) => sum + ids.length, 0);
        });
        if (round > 0) samples.push(tokens / taken);
      }
    }
    for (const { workers, samples } of ways) {
      reporter.figure({ backend, dtype, measure: 'rollout-played', sizes: { workers }, unit: 'tokens/s', samples });
    }
  } finally {
    await Promise.all(teams.map((team) => team.dispose()));
  }
}
