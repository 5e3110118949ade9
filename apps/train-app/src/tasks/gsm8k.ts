// GSM8K as the reference trains and tests it.
import { boxedAnswer, loadGsm8k, mathReward, scoreMath } from '@memgen/bench';
import { Random, rewardPerSample } from '@memgen/common';
import type { Experiment } from '../config/load-experiment.js';
import { fileFacts, toExample, toPolicyRow } from './supervised-rows.js';
import { ofTask, type Task } from './task.js';

type Gsm8kData = Extract<Experiment['data'], { task: 'gsm8k' }>;

/** Validation rows come out of the training split, test rows are the first of a seeded shuffle of the test split. */
export async function createGsm8kTask(data: Gsm8kData, seed: number): Promise<Task> {
  const loaded = await loadGsm8k({ seed, ...(data.source !== undefined && { source: data.source }) });
  const random = Random.fromSeed(seed).fork('gsm8k/choice');
  const training = loaded.train.slice(0, data.maxTrainRows);
  const tested = random.shuffle(loaded.test).slice(0, data.testRows);
  const rowsOf = (file: string) =>
    file.includes('test') ? loaded.test.length : loaded.train.length + loaded.validation.length;
  return {
    story:
      'Grade-school mathematics in the prompts of the reference implementation. What training adds is measured as the loss ' +
      'of held-out solutions and as the accuracy of greedy answers.',
    training: training.map(toExample),
    validation: loaded.validation.slice(0, data.validationRows).map(toExample),
    policy: {
      rows: training.map(toPolicyRow),
      rewards: {
        correct: ofTask(mathReward()),
        form: ofTask(
          rewardPerSample({
            name: 'has-box',
            score: ({ completion }) => (boxedAnswer(completion) === undefined ? 0 : 1),
          }),
        ),
      },
    },
    tests:
      tested.length === 0 ? [] : [{ name: 'gsm8k', title: 'GSM8K, test split', purpose: 'memory', questions: tested }],
    score: (completion, { solution }) => {
      const { extracted, reference } = scoreMath(completion, solution);
      return { extracted, correct: reference };
    },
    data: await fileFacts('gsm8k', loaded.files, rowsOf),
  };
}
