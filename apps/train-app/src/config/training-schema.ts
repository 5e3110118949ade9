// Settings of training: method, schedule, optimizer, checkpoints, evaluation on the way.
import { z } from 'zod';
import { grpoSchema } from './grpo-schema.js';
import { count, countOrNone, decay, positive, rate } from './schema-numbers.js';

export const trainingSchema = z.strictObject({
  method: z
    .enum(['sft', 'grpo'])
    .default('sft')
    .describe('Supervised fine-tuning on solved rows, or reinforcement learning by reward.'),
  train: z
    .enum(['weaver', 'trigger', 'adapter', 'reasoner'])
    .default('weaver')
    .describe(
      'What is trained: the weaver; the trigger (grpo only); a LoRA adapter of the reasoner, the baseline; or a copy of the reasoner itself with all its weights (sft only, small models).',
    ),
  epochs: positive.default(2).describe('Passes over the training rows.'),
  max_steps: count.optional().describe('Stop after so many optimizer steps if that is earlier than the epochs.'),
  batch_size: count.default(4).describe('Rows of one forward pass.'),
  gradient_accumulation: count
    .default(1)
    .describe('Forward passes of one optimizer step of sft; a step of grpo is counted in prompts.'),
  accumulation: z
    .enum(['token-mean', 'sum-of-means'])
    .default('token-mean')
    .describe('What the passes of a step add up to: the mean over all supervised tokens, or as the reference does.'),
  learning_rate: positive
    .optional()
    .describe('Highest learning rate, reached after the warm-up. Without it: 1e-5, and 1e-6 for a trigger.'),
  latent_projection_rate: positive
    .default(1)
    .describe(
      'Multiplies the learning rate of weaver_to_reasoner, through which one step moves all latents; 1 as the reference.',
    ),
  betas: z.tuple([decay, decay]).default([0.9, 0.999]).describe('Decays of the running averages of AdamW.'),
  epsilon: positive.default(1e-8).describe('Epsilon of AdamW.'),
  weight_decay: z.number().min(0).default(0).describe('Decoupled weight decay; biases and norms are left out.'),
  warmup_ratio: rate.default(0.1).describe('Part of the optimizer steps with a rising learning rate.'),
  warmup_steps: countOrNone.optional().describe('The same in steps; wins over warmup_ratio.'),
  schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine').describe('Learning rate after the warm-up.'),
  min_learning_rate_ratio: rate.default(0).describe('The schedule ends at this part of the learning rate.'),
  clip_norm: positive.default(1).describe('Largest global norm of the gradients.'),
  max_length: z
    .int()
    .min(2)
    .default(1024)
    .describe('Most tokens of a row: longer ones are cut, and left out if the prompt alone is as long.'),
  too_long: z
    .enum(['truncate', 'leave-out'])
    .default('truncate')
    .describe('Rows above max_length are cut at their end as in the reference, or left out.'),
  gradient_checkpointing: z
    .boolean()
    .default(true)
    .describe('Compute each layer again in the backward pass: less memory, about a third more time.'),
  checkpoint_every_steps: count.optional().describe('Write a checkpoint each time so many steps are done.'),
  checkpoint_every_seconds: positive
    .default(120)
    .describe('Write a checkpoint when so many seconds have passed since the last.'),
  keep_checkpoints: count.default(2).describe('Older checkpoints are removed, but for the best one.'),
  evaluate_every_steps: count
    .optional()
    .describe('Compute the validation loss each time so many steps are done. Without it: after each epoch. sft only.'),
  patience: count
    .optional()
    .describe('Stop after so many evaluations in a row without a lower validation loss. Without it: never.'),
  minimum_improvement: z
    .number()
    .min(0)
    .default(0)
    .describe('What the validation loss must fall by to count as lower for `patience`.'),
  restore_best: z
    .boolean()
    .default(false)
    .describe('End with the weights of the lowest validation loss, not with the last ones.'),
  grpo: grpoSchema.prefault({}).describe('Reinforcement learning; for the method "grpo" only.'),
});
