// Settings of the models: the frozen reasoner, and the parts that are trained over it.
import { z } from 'zod';
import { count, countOrNone, positive, text } from './schema-numbers.js';

export const reasonerSchema = z.strictObject({
  model: text
    .default('tiny')
    .describe(
      'The frozen language model: "tiny" (comes with this repository), a Hugging Face folder, a .gguf file, or an id of the hub.',
    ),
  revision: text.optional().describe('Branch, tag or commit of a model of the hub.'),
  chat_template: z
    .enum(['chatml', 'own'])
    .default('chatml')
    .describe('"chatml" as the reference does for every model, or the model\'s own template.'),
});

const lora = z.strictObject({
  r: count.default(16).describe('Rank of the adapter.'),
  alpha: positive.default(32).describe('The adapter is scaled by alpha / r.'),
  dropout: z.number().min(0).lt(1).default(0.1).describe("Dropout on the adapter's input while training by SFT."),
  target_modules: z
    .array(z.enum(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']))
    .min(1)
    .default(['q_proj', 'v_proj'])
    .describe('Projections that get an adapter.'),
});

const from = text
  .optional()
  .describe('A run folder or a checkpoint folder to start with, in place of a new one. Its sizes are kept.');

const delimiterRule = z.enum(['reference', 'sentence']);

export const weaverSchema = z.strictObject({
  from,
  prompt_latents_len: count.default(8).describe('Latents woven in after the prompt.'),
  inference_latents_len: count.default(8).describe('Latents woven in at each later point.'),
  max_prompt_aug_num: count
    .default(1)
    .describe('Answers of a conversation that are learned from, drawn at random; a conversation may have several.'),
  max_inference_aug_num: countOrNone
    .default(5)
    .describe('Most points after the prompt, at delimiters of the completion; 0 weaves after the prompt only.'),
  delimiter_rule: delimiterRule
    .default('reference')
    .describe('Points: after every comma, period and newline as the reference does, or at ends of sentences only.'),
  minimum_point_distance: count.default(1).describe('Fewest tokens from one weaving to the next.'),
  initialization: z
    .enum(['reference', 'small', 'aligned'])
    .default('reference')
    .describe(
      'Query latents drawn from N(0, 1) as the reference does, or from N(0, 0.02); "aligned" starts with identity projections and the embeddings of query_text.',
    ),
  query_text: text
    .optional()
    .describe('Text whose tokens the queries start as; needed by the initialization "aligned".'),
  latent_token: text
    .optional()
    .describe('A text of one token whose embedding all latents start close to, with the initialization "aligned".'),
  lora: lora.prefault({}).describe("The weaver's adapter on the frozen model."),
});

export const triggerSchema = z.strictObject({
  from,
  delimiter_rule: delimiterRule
    .optional()
    .describe('Where the trigger is asked. Without it: at the points of the weaver.'),
  max_inference_aug_num: countOrNone
    .optional()
    .describe('Most weavings after the prompt where a trigger decides. Without it: as the weaver has them.'),
  minimum_point_distance: count
    .optional()
    .describe(
      'Fewest tokens from one weaving to the next where a trigger decides. Without it: as the weaver has them.',
    ),
  lora: lora.prefault({}).describe("The trigger's adapter on the frozen model."),
});

export const adapterSchema = z.strictObject({
  from,
  lora: lora.prefault({}).describe('The adapter of the baseline: LoRA on the reasoner, without latents.'),
});
