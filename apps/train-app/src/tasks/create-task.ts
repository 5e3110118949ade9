// The task that a configuration asks for.
import type { Experiment } from '../config/load-experiment.js';
import { createGsm8kTask } from './gsm8k.js';
import type { Task } from './task.js';
import { createTinyShopTask } from './tiny-shop.js';

/** @throws MemGenError of a missing or broken data file. */
export async function createTask({ data, seed }: Experiment): Promise<Task> {
  return data.task === 'gsm8k' ? createGsm8kTask(data, seed) : createTinyShopTask(data, seed);
}
