// The embedded task: a private shop whose prices stand in no prompt.
import { createShop, shopQuestionRows } from '@memgen/tiny-reasoner';
import type { Experiment } from '../config/load-experiment.js';
import { boxedProblem, generatedFacts, priceStory, scoreBox, shopTests, testFacts } from './shop-parts.js';
import type { Task } from './task.js';

type ShopData = Extract<Experiment['data'], { task: 'tiny-shop' }>;

/** Everything follows from the seed and the sizes. */
export function createTinyShopTask(data: ShopData, seed: number): Task {
  const shop = createShop({ seed, items: data.items });
  const rows = shop.trainingRows(data.trainRows, { curriculum: data.curriculum });
  const training = rows.map(({ messages }, i) => ({ name: `shop training row ${i + 1}`, messages }));
  const { rewardFamilies: families } = data;
  const asked = families === undefined ? rows : shopQuestionRows({ shop, seed, rows: data.trainRows, families });
  const tests = shopTests(shop, data);
  return {
    story:
      'A frozen reasoner can do sums, clocks, days and lists, but it has never heard of this shop: its prices stand in no ' +
      'prompt. Training shows solved questions only; the test asks in ways that training never showed. ' +
      priceStory(shop, seed),
    training,
    keepsOrder: data.curriculum,
    validation: [],
    policy: boxedProblem(asked),
    tests,
    score: scoreBox,
    data: [generatedFacts('shop-training', `generated, seed ${seed}`, training), ...testFacts(tests, seed)],
  };
}
