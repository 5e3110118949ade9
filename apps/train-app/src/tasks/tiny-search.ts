// Two turns in the tiny world: ask for prices, read them, answer.
import {
  createShop,
  ShopSearchEnvironment,
  shopSearchTasks,
  solvedSearch,
  type ShopSearchTask,
} from '@memgen/tiny-reasoner';
import type { Experiment } from '../config/load-experiment.js';
import { boxReward, generatedFacts, scoreBox, testOnly } from './shop-parts.js';
import type { Question, Task } from './task.js';

type SearchData = Extract<Experiment['data'], { task: 'tiny-search' }>;

/** Everything follows from the seed and the sizes. */
export function createTinySearchTask(data: SearchData, seed: number): Task {
  const shop = createShop({ seed, items: data.items });
  const tasks = shopSearchTasks({ shop, seed, rows: data.trainRows });
  const questions = shopSearchTasks({ shop, seed, rows: data.testRows, split: 'test' }).map(toQuestion);
  const environment = () => new ShopSearchEnvironment();
  return {
    story:
      'The prices of the shop are in no prompt, but they can be asked for: one turn to ask, one to answer with what was ' +
      'shown. An answer without a question earns nothing.',
    training: tasks.map((task, i) => ({ name: `search training task ${i + 1}`, messages: solvedSearch(task) })),
    validation: [],
    policy: {
      rows: tasks.map((task) => ({ messages: [{ role: 'user', content: task.question }], task })),
      environment,
      rewards: { form: boxReward() },
    },
    tests:
      questions.length === 0
        ? []
        : [{ name: 'search', title: 'Search in two turns', purpose: 'memory', questions, environment }],
    score: scoreBox,
    data: [
      generatedFacts('search-training', `generated, seed ${seed}`, tasks),
      testOnly(generatedFacts('search-test', `generated, seed ${seed}`, questions)),
    ],
  };
}

function toQuestion(task: ShopSearchTask, i: number): Question {
  return {
    id: `${task.family}-${i + 1}`,
    family: task.family,
    messages: [{ role: 'user', content: task.question }],
    solution: task.answer,
    task,
  };
}
