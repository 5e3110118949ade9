// Writes the model card: what the model is, how it was made, what it can and cannot do.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { architecture, recipe } from '../src/pretraining/recipe.js';
import type { Skill } from './measure-skills.js';

const meanings: Record<Skill['family'], string> = {
  list_say: 'repeats a price list in another order',
  list_look: 'looks a price up in a list in the prompt',
  list_mul: 'the same, times a factor',
  list_sum: 'adds two prices of the list',
  list_change: 'change from a payment',
  list_cmp: 'which of two things costs more',
  list_none: 'prices nobody gave: the answer can only be guessed',
  word: 'one-step word problems',
  lst: 'first, last, next in a list',
  day: 'days of the week',
  clock: 'times of the clock',
  drill: 'sums, differences, products',
};

export async function writeModelCard(
  folder: string,
  { steps, skills, backend }: { steps: number; skills: readonly Skill[]; backend: string },
): Promise<void> {
  const rows = skills.map(
    ({ family, rows, accuracy }) => `| ${family} | ${meanings[family]} | ${accuracy.toFixed(3)} | ${rows} |`,
  );
  const { muon, adamW } = recipe;
  const card = `---
license: apache-2.0
pipeline_tag: text-generation
---
# The tiny reasoner

A language model of ${architecture.num_hidden_layers} layers and hidden size ${architecture.hidden_size} (Qwen2 architecture, tied embeddings, about a million weights in bfloat16)
that reads ChatML and knows a tiny world: price lists, sums, days, clocks, lists. It is the frozen reasoner of the memgen
demo and of its tests. It is a real model with real limits: it understands nothing outside the sentences of its world.

## How it was made
\`pnpm pretrain\` at the root of the repository makes it again: ${steps} steps of ${recipe.batchRows} rows, seed ${recipe.seed}, rows written by
\`src/world\`, loss on the assistant's words only. Hidden matrices by Muon (rate ${muon.learningRate}, momentum ${muon.momentum}), the rest by
AdamW (rate ${adamW.learningRate}, betas ${adamW.betas.join(' and ')}), ${recipe.warmupSteps} steps of warm-up, linear decay over the last ${recipe.decayPart * 100} %.
The first ${recipe.firstPart * 100} % of the steps read short lists only. Two priors at the start: keys resemble queries
(correlation ${recipe.keyTie}), and one head looks at the previous token (strength ${recipe.previousTokenHead}); without them it took many times
longer to learn to look things up. Trained on the ${backend} backend; other machines give slightly different weights.

The data are generated and contain no text of anybody else.

## What it can do
Greedy answers, exact match of the boxed answer, held-out rows (seed 1).

| family | question | accuracy | rows |
|---|---|---|---|
${rows.join('\n')}

\`list_none\` asks for prices that are in no list; guessing is all it can do. That gap is what a weaver fills.
`;
  await writeFile(join(folder, 'README.md'), card);
}
