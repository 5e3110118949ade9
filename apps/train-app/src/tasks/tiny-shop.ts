// The embedded task: a private shop whose prices stand in no prompt.
import type { EvaluationRow } from '@memgen/bench';
import { sha256OfText } from '@memgen/runs';
import { boxedAnswer, createShop, evaluationRows, otherFamilies, type WorldRow } from '@memgen/tiny-reasoner';
import type { Experiment } from '../config/load-experiment.js';
import type { DataFacts, Task } from './task.js';

type ShopData = Extract<Experiment['data'], { task: 'tiny-shop' }>;

/** Families that combine prices in ways training never showed; comparisons are left out, half of them is luck. */
const headline = ['sum_new', 'mul_new', 'change'];

/** Old skills: everything that has nothing to do with prices, and prices read from a list in the prompt. */
const skillFamilies = [...otherFamilies, 'list_look', 'list_sum'] as const;
/** The same held-out rows in every run, so that runs can be compared. */
const skillsSeed = 1;

/** Everything follows from the seed and the sizes. */
export function createTinyShopTask(data: ShopData, seed: number): Task {
  const shop = createShop({ seed, items: data.items });
  const training = shop.trainingRows(data.trainRows, { curriculum: data.curriculum }).map((row, i) => ({
    name: `shop training row ${i + 1}`,
    messages: row.messages,
  }));
  const questions = Object.values(shop.testRows({ perFamily: data.testRowsPerFamily })).flatMap(toQuestions);
  const count = Math.ceil(data.skillsRows / skillFamilies.length);
  const skills = skillFamilies.flatMap((family) => toQuestions(skillRows(family, count)));
  const prices = shop.prices.map(({ item, price }) => `${item} ${price}`).join(', ');
  return {
    story:
      'A frozen reasoner can do sums, clocks, days and lists, but it has never heard of this shop: its prices stand in no ' +
      'prompt. The weaver sees solved questions only; the test asks in ways that training never showed. ' +
      `The prices, for the reader (seed ${seed}): ${prices}.`,
    training,
    validation: [],
    tests: [
      { name: 'shop', title: 'The shop, asked in new ways', purpose: 'memory', questions, headline },
      ...(count > 0
        ? [{ name: 'skills', title: 'Skills from before', purpose: 'skills' as const, questions: skills }]
        : []),
    ],
    score: (completion, solution) => {
      const extracted = boxedAnswer(completion);
      return { extracted, correct: extracted === solution };
    },
    data: [
      facts('shop-training', `generated, seed ${seed}`, training),
      facts('shop-test', `generated, seed ${seed}`, questions),
      facts('skills-test', `generated, held-out rows of seed ${skillsSeed}`, skills),
    ],
  };
}

/** Rows whose question holds all that is needed (some lists are notes in the answer, which a question does not show). */
function skillRows(family: (typeof skillFamilies)[number], count: number): WorldRow[] {
  const rows = evaluationRows({ seed: skillsSeed, family, count: 4 * count + 20 });
  return rows.filter(({ given }) => given === 0).slice(0, count);
}

function toQuestions(rows: readonly WorldRow[]): EvaluationRow[] {
  return rows.map((row, i) => ({
    id: `${row.family}-${i + 1}`,
    family: row.family,
    messages: [row.messages[0]],
    solution: row.answer,
  }));
}

function facts(name: string, source: string, rows: readonly unknown[]): DataFacts {
  return { name, source, rows: rows.length, sha256: sha256OfText(JSON.stringify(rows)) };
}
