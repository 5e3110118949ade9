// The task that a configuration asks for.
import type { Experiment } from '../config/load-experiment.js';
import { createGsm8kTask } from './gsm8k.js';
import { createKodCodeTask } from './kodcode.js';
import type { Task } from './task.js';
import { createTinyMixTask } from './tiny-mix.js';
import { createTinySearchTask } from './tiny-search.js';
import { createTinyShopTask } from './tiny-shop.js';
import { createTriviaQaTask } from './triviaqa.js';

/** @throws MemGenError of a missing or broken data file, a retriever that does not answer, a sandbox that does not start. */
export async function createTask({ data, seed }: Experiment): Promise<Task> {
  switch (data.task) {
    case 'tiny-shop':
      return createTinyShopTask(data, seed);
    case 'tiny-mix':
      return createTinyMixTask(data, seed);
    case 'tiny-search':
      return createTinySearchTask(data, seed);
    case 'gsm8k':
      return createGsm8kTask(data, seed);
    case 'triviaqa':
      return createTriviaQaTask(data, seed);
    case 'kodcode':
      return createKodCodeTask(data, seed);
  }
}
