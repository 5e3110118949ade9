// The reward functions of a task with the weights of the configuration.
import { MemGenError } from '@memgen/common';
import type { CompletionReward } from '@memgen/grpo';
import type { Experiment } from '../config/load-experiment.js';
import type { PolicyProblem, RewardName } from '../tasks/task.js';

/** Where there is an environment, its own reward is the one for a right answer, and counts once. */
export function weightedRewards(
  { training: { grpo }, data }: Pick<Experiment, 'training' | 'data'>,
  { rewards, environment }: Pick<PolicyProblem, 'rewards' | 'environment'>,
): { rewards: CompletionReward<unknown>[]; rewardWeights: number[] } {
  const given = Object.entries(grpo.rewards) as [RewardName, number][];
  const wanted = given.filter(([name, weight]) => weight !== 0 && !(name === 'correct' && environment !== undefined));
  return {
    rewards: wanted.map(([name]) => rewards[name] ?? missing(name, data.task)),
    rewardWeights: wanted.map(([, weight]) => weight),
  };
}

function missing(name: RewardName, task: string): never {
  throw new MemGenError({
    code: 'config',
    where: `training.grpo.rewards.${name}`,
    message: 'the task has no such reward',
    got: task,
    expected: `${name}: 0`,
  });
}
