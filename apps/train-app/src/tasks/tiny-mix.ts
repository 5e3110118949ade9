// The task of a trigger: questions that need the memory of the shop among those that weaving ruins.
import { createShop, memoryMixRows } from '@memgen/tiny-reasoner';
import type { Experiment } from '../config/load-experiment.js';
import { boxedProblem, generatedFacts, priceStory, scoreBox, shopTests, testFacts, toQuestions } from './shop-parts.js';
import type { Task, TestSet } from './task.js';

type MixData = Extract<Experiment['data'], { task: 'tiny-mix' }>;

/** Everything follows from the seed and the sizes; the shop is that of `tiny-shop` with the same seed. */
export function createTinyMixTask(data: MixData, seed: number): Task {
  const shop = createShop({ seed, items: data.items });
  const { factsGiven } = data;
  const training = memoryMixRows({ shop, seed, rows: data.trainRows, factsGiven });
  const unseen = memoryMixRows({ shop, seed, rows: data.mixTestRows, factsGiven, split: 'test' });
  const mix: TestSet = {
    name: 'mix',
    title: 'The mix, rows that training never showed',
    label: 'the mix',
    purpose: 'memory',
    questions: toQuestions(unseen, ({ needsMemory }) => (needsMemory ? 'needs memory' : 'needs none')),
  };
  const tests = [...(unseen.length > 0 ? [mix] : []), ...shopTests(shop, data)];
  return {
    story:
      'Half of the questions are about a shop whose prices only the weaver knows, half are old skills, which latents get in ' +
      'the way of. The trigger sees the question and whether the answer was right; it has to find out where to weave. ' +
      (data.factsGiven > 0
        ? `With ${Math.round(100 * data.factsGiven)} % of the questions about the shop the prices are in the prompt. `
        : '') +
      priceStory(shop, seed),
    training: [],
    validation: [],
    policy: boxedProblem(training),
    tests,
    score: scoreBox,
    data: [generatedFacts('mix-training', `generated, seed ${seed}`, training), ...testFacts(tests, seed)],
  };
}
