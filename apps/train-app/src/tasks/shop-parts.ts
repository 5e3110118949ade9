// What the tasks about the shop of the tiny world share: test sets, rewards, scoring, facts.
import { rewardPerSample } from '@memgen/common';
import type { CompletionReward } from '@memgen/grpo';
import { sha256OfText } from '@memgen/runs';
import {
  boxedAnswer,
  evaluationRows,
  exactMatch,
  otherFamilies,
  type Shop,
  type WorldRow,
} from '@memgen/tiny-reasoner';
import { ofTask, type DataFacts, type PolicyProblem, type Question, type Score, type TestSet } from './task.js';

/** Families that combine prices in ways training never showed; comparisons are left out, half of them is luck. */
const headline = ['sum_new', 'mul_new', 'change'];

/** Old skills: everything that has nothing to do with prices, and prices read from a list in the prompt. */
const skillFamilies = [...otherFamilies, 'list_look', 'list_sum'] as const;
/** The same held-out rows in every run, so that runs can be compared. */
const skillsSeed = 1;

/** The shop asked in new ways, and (if there are to be any) the skills from before. */
export function shopTests(shop: Shop, sizes: { testRowsPerFamily: number; skillsRows: number }): TestSet[] {
  const questions = Object.values(shop.testRows({ perFamily: sizes.testRowsPerFamily })).flatMap((rows) =>
    toQuestions(rows),
  );
  const count = Math.ceil(sizes.skillsRows / skillFamilies.length);
  const skills = skillFamilies.flatMap((family) => toQuestions(skillRows(family, count)));
  return [
    { name: 'shop', title: 'The shop, asked in new ways', label: 'the shop', purpose: 'memory', questions, headline },
    ...(count > 0
      ? [
          {
            name: 'skills',
            title: 'Skills from before',
            label: 'old skills',
            purpose: 'skills' as const,
            questions: skills,
          },
        ]
      : []),
  ];
}

/** Rows whose question holds all that is needed (some lists are notes in the answer, which a question does not show). */
function skillRows(family: (typeof skillFamilies)[number], count: number): WorldRow[] {
  const rows = evaluationRows({ seed: skillsSeed, family, count: 4 * count + 20 });
  return rows.filter(({ given }) => given === 0).slice(0, count);
}

/** @param familyOf - the family under which a row is counted. @default its own */
export function toQuestions<Row extends WorldRow>(
  rows: readonly Row[],
  familyOf: (row: Row) => string = ({ family }) => family,
): Question[] {
  return rows.map((row, i) => ({
    id: `${familyOf(row)}-${i + 1}`,
    family: familyOf(row),
    messages: [row.messages[0]],
    solution: row.answer,
  }));
}

export function scoreBox(completion: string, { solution }: Question): Score {
  const extracted = boxedAnswer(completion);
  return { extracted, correct: extracted === solution };
}

/** Rows as a policy is asked them: right is what the first box holds exactly. */
export function boxedProblem(rows: readonly WorldRow[]): PolicyProblem {
  return {
    rows: rows.map(({ messages, answer }) => ({ messages: [messages[0]], task: { answer } })),
    rewards: {
      correct: ofTask(
        rewardPerSample<{ answer: string }>({
          name: 'exact-match',
          score: ({ row, completion }) => exactMatch(completion, row.answer),
        }),
      ),
      form: boxReward(),
    },
  };
}

/** 1 for an answer in a box, right or wrong. */
export function boxReward(): CompletionReward<unknown> {
  return ofTask(
    rewardPerSample({
      name: 'has-box',
      score: ({ completion }) => (boxedAnswer(completion) === undefined ? 0 : 1),
    }),
  );
}

export function priceStory(shop: Shop, seed: number): string {
  const prices = shop.prices.map(({ item, price }) => `${item} ${price}`).join(', ');
  return `The prices, for the reader (seed ${seed}): ${prices}.`;
}

export function generatedFacts(name: string, source: string, rows: readonly unknown[]): DataFacts {
  return { name, source, rows: rows.length, sha256: sha256OfText(JSON.stringify(rows)) };
}

export function testOnly(facts: DataFacts): DataFacts {
  return { ...facts, test_only: true };
}

export function testFacts(tests: readonly TestSet[], seed: number): DataFacts[] {
  return tests.map(({ name, purpose, questions }) => {
    const from = purpose === 'skills' ? `held-out rows of seed ${skillsSeed}` : `seed ${seed}`;
    return testOnly(generatedFacts(`${name}-test`, `generated, ${from}`, questions));
  });
}
