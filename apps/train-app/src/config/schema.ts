// The experiment file: every setting with its range, default and meaning, once, for types, checks and editors alike.
import { z } from 'zod';
import { dataSchema } from './data-schema.js';
import { adapterSchema, reasonerSchema, triggerSchema, weaverSchema } from './model-schema.js';
import { count, text } from './schema-numbers.js';
import { trainingSchema } from './training-schema.js';

const evaluationSchema = z.strictObject({
  arms: z
    .array(z.enum(['vanilla', 'random-weaver', 'weaver', 'weaver+trigger', 'adapter', 'reasoner']))
    .min(1)
    .optional()
    .describe(
      'What is compared: the reasoner alone, with an untrained weaver, with the weaver, with weaver and trigger, with the adapter, or the trained copy of the reasoner. Without it: all that is there.',
    ),
  max_new_tokens: count.default(1024).describe('Longest answer in tokens, of each turn.'),
  batch_size: count.default(8).describe('Rows answered side by side.'),
});

/** Keys and nesting are those of the file on disk, hence snake_case. Defaults are the settings of the reference. */
export const experimentSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors; has no effect.'),
  extends: text
    .optional()
    .describe('Another experiment, relative to this file: what is not set here is as it is there, but for `next`.'),
  next: text
    .optional()
    .describe(
      'Another experiment, relative to this file, that is run when this one has finished; its weaver is the one of this run.',
    ),
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
  reasoner: reasonerSchema.prefault({}).describe('The frozen language model.'),
  weaver: weaverSchema.prefault({}).describe('The latent memory.'),
  trigger: triggerSchema.prefault({}).describe('What decides where latents are woven in.'),
  adapter: adapterSchema.prefault({}).describe('The baseline without latents.'),
  data: dataSchema.describe('What is learned and tested.'),
  training: trainingSchema.prefault({}).describe('What is trained, and how.'),
  evaluation: evaluationSchema.prefault({}).describe('What is measured in the end.'),
  output: text
    .default('runs/{name}-{timestamp}')
    .describe('The run folder; {name}, {seed} and {timestamp} are filled in.'),
});

/** An experiment that was checked, with the defaults that do not depend on other settings. */
export type CheckedFile = Omit<z.output<typeof experimentSchema>, 'extends' | 'next'>;
