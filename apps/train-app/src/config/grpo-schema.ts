// Settings of reinforcement learning; names in words, TRL's names are accepted too (see reference-keys.ts).
import { z } from 'zod';
import { count, countOrNone, positive, rate } from './schema-numbers.js';

const weight = z.number();

const rewards = z.strictObject({
  correct: weight.default(1).describe("Weight of the task's own verdict: 1 for a right answer."),
  form: weight.default(0).describe('Weight of an answer in the form that is asked for, right or wrong.'),
  partial: weight.default(0).describe('Weight of the part that is right, where a task can tell (tests that passed).'),
});

const penalty = z.strictObject({
  lambda: z.number().min(0).default(0.1).describe('Weight of the penalty.'),
  high_reward_quantile: rate
    .optional()
    .describe(
      'Completions from this quantile of the rewards on set the standard. Without it: those above the mean of their group.',
    ),
  scope: z
    .enum(['batch', 'group'])
    .default('batch')
    .describe('One standard for the whole step, as in the paper, or one for each prompt.'),
});

export const grpoSchema = z.strictObject({
  group_size: z.int().min(2).default(8).describe('Completions of each prompt, which are compared with each other.'),
  prompts_per_step: count
    .optional()
    .describe('Prompts of one rollout. Without it: 4, or as completions_per_step says.'),
  completions_per_step: count.optional().describe('The same counted in completions: a multiple of group_size.'),
  iterations: count.default(1).describe('Optimizer steps over one rollout.'),
  beta: z.number().min(0).default(0).describe('Weight of the divergence from the parameters that the run began with.'),
  epsilon: rate.default(0.2).describe('Ratios are clipped at 1 - epsilon.'),
  epsilon_high: z.number().min(0).optional().describe('Ratios are clipped at 1 + epsilon_high. Without it: epsilon.'),
  delta: z
    .number()
    .gt(1)
    .optional()
    .describe('Caps the ratio also where the advantage is negative. Without it: no cap.'),
  loss_type: z
    .enum(['dapo', 'bnpo', 'grpo', 'dr_grpo'])
    .default('dapo')
    .describe(
      'Mean over all actions of the step (dapo), of each batch (bnpo, the reference), of each row (grpo), or by the longest length (dr_grpo).',
    ),
  scale_rewards: z
    .enum(['group', 'batch', 'none'])
    .default('group')
    .describe('What advantages are divided by: the deviation of the group, of the step, or nothing.'),
  importance_sampling: z
    .enum(['token', 'sequence'])
    .default('token')
    .describe('One ratio for each action, or one for the whole completion.'),
  mask_truncated_completions: z
    .boolean()
    .default(false)
    .describe('Completions that were cut at the longest length teach nothing.'),
  max_completion_length: count.default(1024).describe('Most tokens of one turn of the model.'),
  max_episode_length: count.default(2048).describe('Most tokens of an episode of several turns, prompt included.'),
  max_observation_length: count.optional().describe('Most tokens of an observation. Without it: no limit.'),
  gathering: z
    .enum(['ready', 'all'])
    .default('ready')
    .describe(
      '"ready": episodes go on as their environments answer; "all": each turn waits for all, which repeats to the bit with slow environments.',
    ),
  temperature: z
    .number()
    .min(0)
    .optional()
    .describe('Of the tokens. Without it: 1, and 0 where a trigger is trained, as in the reference.'),
  trigger_temperature: positive.default(1).describe("Of the trigger's decisions while it is trained."),
  max_inference_points: countOrNone
    .optional()
    .describe('Most weavings after the prompt in rollouts. Without it: as in use (max_inference_aug_num).'),
  patience: count
    .optional()
    .describe('After so many rollouts in a row that teach nothing the run stops and says why. Without it: never.'),
  penalty: penalty
    .optional()
    .describe("The paper's reward-adaptive penalty on weaving, for a trigger; `penalty: {lambda: 0.1}` turns it on."),
  rewards: rewards.prefault({}).describe('Weights of the reward functions; 0 leaves one out.'),
  allow_untrained_weaver: z
    .boolean()
    .default(false)
    .describe('Train a trigger over a weaver that no training has changed.'),
  workers: count
    .optional()
    .describe(
      'Threads that play the rollouts, each with a backend of its own; results do not depend on how many. Without it: this thread plays them, with other results. For tasks of one turn.',
    ),
  prompts_per_shard: count.default(1).describe('Prompts that a worker plays at a time; results depend on it.'),
  samples_per_step: countOrNone
    .default(64)
    .describe('Completions of a rollout that are kept in samples.jsonl and shown in the report.'),
});
