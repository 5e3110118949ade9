// The ways of training that are measured, and the work of their steps.

/** Rows, each half of it supervised. */
export const supervisedWork = { rows: 4, tokens: 128 };

/** Prompts of a rollout, each with a group of completions, and the most tokens that the model writes in a turn. */
export const policyWork = { prompts: 2, groupSize: 4, promptTokens: 64, newTokens: 32 };

const supervised = `${supervisedWork.rows} x ${supervisedWork.tokens} tokens`;
const policy = `${policyWork.prompts} x ${policyWork.groupSize} completions of ${policyWork.newTokens}`;

/** By the names that `--only` takes. */
export const supervisedMethods = {
  'weaver-sft': `weaver SFT, ${supervised}`,
  'adapter-sft': `adapter SFT, ${supervised}`,
  'full-sft': `full SFT, ${supervised}`,
} as const;

/** The same for training by reward; the last over two turns in an environment. */
export const policyMethods = {
  'weaver-grpo': `weaver GRPO, ${policy}`,
  'trigger-grpo': `trigger GRPO, ${policy}`,
  'adapter-grpo': `adapter GRPO, ${policy}`,
  'weaver-episodes': `weaver GRPO over two turns, ${policy}`,
} as const;

export type SupervisedMethod = keyof typeof supervisedMethods;
export type PolicyMethod = keyof typeof policyMethods;

export const methods = { ...supervisedMethods, ...policyMethods };

/** Where the time of a step goes, in its order; not every method has every part. */
export const parts = ['rollout', 'reward', 'policies', 'forward', 'backward', 'optimizer'] as const;

/** Steps that count, after one that warms up. */
export function measuredSteps(quick: boolean): number {
  return quick ? 3 : 8;
}
