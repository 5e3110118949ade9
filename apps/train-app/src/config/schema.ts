// The experiment file: every setting with its range, default and meaning, once, for types, checks and editors alike.
import { z } from 'zod';

const count = z.int().min(1);
const rate = z.number().min(0).max(1);
/** Below 1, where a running average would never move. */
const decay = z.number().min(0).lt(1);

const reasoner = z.strictObject({
  model: z
    .string()
    .min(1)
    .default('tiny')
    .describe(
      'The frozen language model: "tiny" (comes with this repository), a Hugging Face folder, a .gguf file, or an id of the hub.',
    ),
  revision: z.string().min(1).optional().describe('Branch, tag or commit of a model of the hub.'),
  chat_template: z
    .enum(['chatml', 'own'])
    .default('chatml')
    .describe('"chatml" as the reference does for every model, or the model\'s own template.'),
});

const lora = z.strictObject({
  r: count.default(16).describe('Rank of the adapter.'),
  alpha: z.number().positive().default(32).describe('The adapter is scaled by alpha / r.'),
  dropout: z.number().min(0).lt(1).default(0.1).describe("Dropout on the adapter's input while training."),
  target_modules: z
    .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']))
    .min(1)
    .default(['q_proj', 'v_proj'])
    .describe('Projections that get an adapter.'),
});

const weaver = z.strictObject({
  prompt_latents_len: count.default(8).describe('Latents woven in after the prompt.'),
  inference_latents_len: count.default(8).describe('Latents woven in at each later point.'),
  max_prompt_aug_num: count
    .default(1)
    .describe('Answers of a conversation that are learned from; the tasks so far have one each.'),
  max_inference_aug_num: z
    .int()
    .min(0)
    .default(5)
    .describe('Most points after the prompt, at delimiters of the completion; 0 weaves after the prompt only.'),
  initialization: z
    .enum(['reference', 'small', 'aligned'])
    .default('reference')
    .describe(
      'Query latents drawn from N(0, 1) as the reference does, or from N(0, 0.02); "aligned" starts with identity projections and the embeddings of query_text.',
    ),
  query_text: z
    .string()
    .min(1)
    .optional()
    .describe('Text whose tokens the queries start as; needed by the initialization "aligned".'),
  latent_token: z
    .string()
    .min(1)
    .optional()
    .describe('A text of one token whose embedding all latents start close to, with the initialization "aligned".'),
  lora: lora.prefault({}).describe("The weaver's adapter on the frozen model."),
});

const tinyShop = z.strictObject({
  task: z.literal('tiny-shop').describe('A shop whose prices are in no prompt; rows are generated from the seed.'),
  items: z.int().min(2).max(40).default(16).describe('Items of the shop.'),
  train_rows: count.default(6352).describe('Training rows: look-ups, multiples and sums.'),
  curriculum: z
    .boolean()
    .default(false)
    .describe('Look-ups first, then multiples, then sums; rows are learned in this order, not shuffled.'),
  test_rows_per_family: count
    .default(100)
    .describe('Held-out rows of each family: sums, multiples, change, comparisons.'),
  skills_rows: z.int().min(0).default(200).describe('Rows of the skills that the reasoner had before.'),
});

const gsm8k = z.strictObject({
  task: z.literal('gsm8k').describe('Grade-school mathematics.'),
  source: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder or file with the rows, or an id of the hub. Without it: $MEMGEN_DATA, the Hugging Face cache, the hub.',
    ),
  max_train_rows: count.optional().describe('Train on at most so many rows. All without it.'),
  validation_rows: count.default(200).describe('Rows held out of the train split for the validation loss.'),
  test_rows: z
    .int()
    .min(0)
    .optional()
    .describe('Rows of the test split that are answered; 0 for none. All without it.'),
});

const training = z.strictObject({
  method: z.enum(['sft']).default('sft').describe('Supervised fine-tuning of the weaver.'),
  epochs: z.number().positive().default(2).describe('Passes over the training rows.'),
  max_steps: count.optional().describe('Stop after so many optimizer steps if that is earlier than the epochs.'),
  batch_size: count.default(4).describe('Rows of one forward pass.'),
  gradient_accumulation: count.default(1).describe('Forward passes of one optimizer step.'),
  learning_rate: z.number().positive().default(1e-5).describe('Highest learning rate, reached after the warm-up.'),
  latent_projection_rate: z
    .number()
    .positive()
    .default(1)
    .describe(
      'Multiplies the learning rate of weaver_to_reasoner, through which one step moves all latents; 1 as the reference.',
    ),
  betas: z.tuple([decay, decay]).default([0.9, 0.999]).describe('Decays of the running averages of AdamW.'),
  epsilon: z.number().positive().default(1e-8).describe('Epsilon of AdamW.'),
  weight_decay: z.number().min(0).default(0).describe('Decoupled weight decay; biases and norms are left out.'),
  warmup_ratio: rate.default(0.1).describe('Part of the optimizer steps with a rising learning rate.'),
  warmup_steps: z.int().min(0).optional().describe('The same in steps; wins over warmup_ratio.'),
  schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine').describe('Learning rate after the warm-up.'),
  min_learning_rate_ratio: rate.default(0).describe('The schedule ends at this part of the learning rate.'),
  clip_norm: z.number().positive().default(1).describe('Largest global norm of the gradients.'),
  max_length: z
    .int()
    .min(2)
    .default(1024)
    .describe('Most tokens of a row: longer ones are cut, and left out if the prompt alone is as long.'),
  gradient_checkpointing: z
    .boolean()
    .default(true)
    .describe('Compute each layer again in the backward pass: less memory, about a third more time.'),
  checkpoint_every_steps: count.optional().describe('Write a checkpoint each time so many steps are done.'),
  checkpoint_every_seconds: z
    .number()
    .positive()
    .default(120)
    .describe('Write a checkpoint when so many seconds have passed since the last.'),
  keep_checkpoints: count.default(2).describe('Older checkpoints are removed.'),
  evaluate_every_steps: count
    .optional()
    .describe('Compute the validation loss each time so many steps are done. Without it: after each epoch.'),
});

const evaluation = z.strictObject({
  arms: z
    .array(z.enum(['vanilla', 'random-weaver', 'weaver']))
    .min(1)
    .default(['vanilla', 'random-weaver', 'weaver'])
    .describe('What is compared: no latents, latents of an untrained weaver, latents of the trained one.'),
  max_new_tokens: count.default(1024).describe('Longest answer in tokens.'),
  batch_size: count.default(8).describe('Rows answered side by side.'),
});

/** Keys and nesting are those of the file on disk, hence snake_case. Defaults are the settings of the reference. */
export const experimentSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors; has no effect.'),
  extends: z
    .string()
    .min(1)
    .optional()
    .describe('Another experiment, relative to this file: what is not set here is as it is there.'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dots, dashes and underscores')
    .describe('Names the run folder.'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe('All chance of the run is drawn from it.'),
  backend: z
    .enum(['auto', 'tensorflow', 'wasm', 'cpu', 'webgpu'])
    .default('auto')
    .describe('Tensor engine; "auto" takes the fastest that works here.'),
  reasoner: reasoner.prefault({}).describe('The frozen language model.'),
  weaver: weaver.prefault({}).describe('The latent memory that is trained.'),
  data: z.discriminatedUnion('task', [tinyShop, gsm8k]).describe('What is learned and tested.'),
  training: training.prefault({}).describe('How the weaver is trained.'),
  evaluation: evaluation.prefault({}).describe('What is measured in the end.'),
  output: z
    .string()
    .min(1)
    .default('runs/{name}-{timestamp}')
    .describe('The run folder; {name}, {seed} and {timestamp} are filled in.'),
});

/** An experiment with all defaults filled in, keys as in the file. */
export type ExperimentFile = Omit<z.output<typeof experimentSchema>, 'extends'>;
