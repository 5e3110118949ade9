// GSM8K as the reference trains and tests it.
import { loadGsm8k, scoreMath, type SupervisedRow } from '@memgen/bench';
import { Random } from '@memgen/common';
import { sha256OfFile } from '@memgen/runs';
import type { Experiment } from '../config/load-experiment.js';
import type { DataFacts, Task, TrainingExample } from './task.js';

type Gsm8kData = Extract<Experiment['data'], { task: 'gsm8k' }>;

/** Validation rows come out of the training split, test rows are the first of a seeded shuffle of the test split. */
export async function createGsm8kTask(data: Gsm8kData, seed: number): Promise<Task> {
  const loaded = await loadGsm8k({ seed, ...(data.source !== undefined && { source: data.source }) });
  const random = Random.fromSeed(seed).fork('gsm8k/choice');
  const training = loaded.train.slice(0, data.maxTrainRows);
  const validation = loaded.validation.slice(0, data.validationRows);
  const tested = random.shuffle(loaded.test).slice(0, data.testRows);
  const files: DataFacts[] = [];
  for (const file of loaded.files) {
    const rows = file.includes('test') ? loaded.test.length : loaded.train.length + loaded.validation.length;
    files.push({ name: 'gsm8k', source: file, sha256: await sha256OfFile(file), rows });
  }
  return {
    story:
      'Grade-school mathematics in the prompts of the reference implementation. The weaver learns from solved problems; ' +
      'what it adds is measured as the loss of held-out solutions and as the accuracy of greedy answers.',
    training: training.map(toExample),
    validation: validation.map(toExample),
    tests:
      tested.length === 0 ? [] : [{ name: 'gsm8k', title: 'GSM8K, test split', purpose: 'memory', questions: tested }],
    score: (completion, solution) => {
      const { extracted, reference } = scoreMath(completion, solution);
      return { extracted, correct: reference };
    },
    data: files,
  };
}

function toExample({ id, messages, completion }: SupervisedRow): TrainingExample {
  return { name: id, messages: [...messages, { role: 'assistant', content: completion }] };
}
