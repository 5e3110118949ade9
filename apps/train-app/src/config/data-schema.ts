// Settings of the tasks: what is learned and tested.
import { z } from 'zod';
import { count, countOrNone, rate, text } from './schema-numbers.js';

const items = z.int().min(2).max(40).default(16).describe('Items of the shop.');
const source = text
  .optional()
  .describe(
    'Folder or file with the rows, or an id of the hub. Without it: $MEMGEN_DATA, the Hugging Face cache, the hub.',
  );
const maxTrainRows = count.optional().describe('Train on at most so many rows. All without it.');
const testRowsPerFamily = count
  .default(100)
  .describe('Held-out rows of each family: sums, multiples, change, comparisons.');
const skillsRows = countOrNone.default(200).describe('Rows of the skills that the reasoner had before.');
const someTestRows = countOrNone.optional().describe('Test rows that are answered; 0 for none. All without it.');

const tinyShop = z.strictObject({
  task: z.literal('tiny-shop').describe('A shop whose prices are in no prompt; rows are generated from the seed.'),
  items,
  train_rows: count.default(6352).describe('Training rows: look-ups, multiples and sums.'),
  curriculum: z
    .boolean()
    .default(false)
    .describe('Look-ups first, then multiples, then sums; rows are learned in this order, not shuffled.'),
  reward_families: z
    .array(z.enum(['sum', 'mul', 'change']))
    .min(1)
    .optional()
    .describe(
      'Kinds of questions that training by reward asks: sums, multiples, change. Without it: the training rows.',
    ),
  test_rows_per_family: testRowsPerFamily,
  skills_rows: skillsRows,
});

const tinyMix = z.strictObject({
  task: z
    .literal('tiny-mix')
    .describe('Questions about the shop and old skills, half and half: what a trigger has to tell apart.'),
  items,
  train_rows: count.default(512).describe('Training rows of both kinds.'),
  facts_given: rate
    .default(0)
    .describe('Part of the questions about the shop with the price list in the prompt, same wording otherwise.'),
  mix_test_rows: countOrNone.default(200).describe('Held-out rows of the mix; 0 for none.'),
  test_rows_per_family: testRowsPerFamily,
  skills_rows: skillsRows,
});

const tinySearch = z.strictObject({
  task: z
    .literal('tiny-search')
    .describe('Two turns: the model asks for the prices that it needs, is shown them, and answers.'),
  items,
  train_rows: count.default(256).describe('Tasks to learn from.'),
  test_rows: countOrNone.default(100).describe('Held-out tasks.'),
});

const gsm8k = z.strictObject({
  task: z.literal('gsm8k').describe('Grade-school mathematics.'),
  source,
  max_train_rows: maxTrainRows,
  validation_rows: countOrNone.default(200).describe('Rows held out of the train split for the validation loss.'),
  test_rows: someTestRows,
});

const triviaqa = z.strictObject({
  task: z.literal('triviaqa').describe('Questions that may be looked up, over several turns, with a retriever.'),
  source,
  retriever: text
    .default('http://127.0.0.1:8001/retrieve')
    .describe('Address of a server of Search-R1 or memgen-retriever.'),
  top_k: count.default(3).describe('Passages that one search shows.'),
  max_turns: count.default(8).describe('Most turns of the model.'),
  scoring: z
    .enum(['contains', 'exact-match'])
    .default('contains')
    .describe('When an answer is right: an alias is in it (the reference), or it equals one.'),
  max_train_rows: maxTrainRows,
  test_rows: someTestRows,
});

const kodcode = z.strictObject({
  task: z.literal('kodcode').describe('Python functions, judged by their tests in a sandbox.'),
  source,
  workers: count.default(1).describe('Programs that the sandbox runs at once, each in a thread of about 250 MB.'),
  max_train_rows: maxTrainRows,
  validation_rows: countOrNone.default(0).describe('Rows whose validation loss is measured.'),
  test_rows: someTestRows,
});

export const dataSchema = z.discriminatedUnion('task', [tinyShop, tinyMix, tinySearch, gsm8k, triviaqa, kodcode]);
