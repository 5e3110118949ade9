// Tasks as a configuration asks for them: rows, rewards and tests that belong together.
import { resolve } from 'node:path';
import { Bm25Index, serveRetriever } from '@memgen/bench';
import { Random } from '@memgen/common';
import { ShopSearchEnvironment } from '@memgen/tiny-reasoner';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../config/load-experiment.js';
import { createTask } from './create-task.js';
import type { RewardName, Task } from './task.js';

const fixtures = resolve(import.meta.dirname, '../../../../packages/bench/src/data/__fixtures__');
const taskOf = (data: object): Promise<Task> => {
  const training = { method: 'grpo', train: 'adapter' };
  return createTask(parseExperiment({ name: 'a', data, training }, 'test').experiment);
};

/** The reward of a completion of the first row. */
async function rewardOf({ policy }: Task, name: RewardName, completion: string): Promise<number | undefined> {
  const sample = { row: policy.rows[0]!.task, completion, ids: [1], finished: 'end' as const };
  const [reward] = await policy.rewards[name]!.score([sample]);
  return reward?.value;
}

describe('createTask', () => {
  it('mixes the shop and old skills half and half, and tests both apart', async () => {
    const task = await taskOf({ task: 'tiny-mix', train_rows: 40, mix_test_rows: 20, test_rows_per_family: 2, skills_rows: 7 }); // prettier-ignore
    expect(task.policy.rows).toHaveLength(40);
    const { answer } = task.policy.rows[0]!.task as { answer: string };
    expect(await rewardOf(task, 'correct', `so \\boxed{${answer}}`)).toBe(1);
    expect(await rewardOf(task, 'correct', 'so \\boxed{no}')).toBe(0);
    expect(await rewardOf(task, 'form', 'so \\boxed{no}')).toBe(1);
    const [mix, shop, skills] = task.tests;
    expect([mix, shop, skills].map((test) => test!.name)).toEqual(['mix', 'shop', 'skills']);
    const ofFamily = (name: string) => mix!.questions.filter(({ family }) => family === name);
    expect([ofFamily('needs memory').length, ofFamily('needs none').length]).toEqual([10, 10]);
    const trained = new Set(task.policy.rows.map(({ messages }) => messages[0]!.content));
    const memory = ofFamily('needs memory').map(({ messages }) => messages[0]!.content);
    expect(memory.filter((question) => trained.has(question))).toEqual([]);
    const harder = await taskOf({ task: 'tiny-mix', facts_given: 1, train_rows: 4, mix_test_rows: 20 });
    expect(new Set(harder.tests[0]!.questions.map(({ family }) => family))).toEqual(new Set(['needs none']));
  });

  it('shows solved episodes of a search, and plays others', async () => {
    const task = await taskOf({ task: 'tiny-search', train_rows: 8, test_rows: 4 });
    expect(task.training[0]!.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect(task.policy.environment!()).toBeInstanceOf(ShopSearchEnvironment);
    expect(task.policy.environment!()).not.toBe(task.policy.environment!());
    expect(task.tests[0]!.questions.map(({ task }) => task)).not.toContain(undefined);
  });

  it('rewards the boxed answer of mathematics', async () => {
    const task = await taskOf({ task: 'gsm8k', source: `${fixtures}/gsm8k` });
    const { solution } = task.policy.rows[0]!.task as { solution: string };
    expect(await rewardOf(task, 'correct', solution)).toBe(1);
    expect(await rewardOf(task, 'correct', 'no idea')).toBe(0);
    expect(await rewardOf(task, 'form', '\\boxed{-1}')).toBe(1);
    expect(task.training).toHaveLength(task.policy.rows.length);
  });

  it('asks the retriever before anything else, and gives it to every environment', async () => {
    const source = `${fixtures}/triviaqa/triviaqa.jsonl`;
    await expect(taskOf({ task: 'triviaqa', source, retriever: 'http://127.0.0.1:9/retrieve' })).rejects.toMatchObject({
      code: 'retriever-unreachable',
    });
    const index = new Bm25Index([{ id: '1', title: 'Paris', text: 'Paris is the capital of France.' }]);
    const server = await serveRetriever({ index, port: 0 });
    try {
      const task = await taskOf({ task: 'triviaqa', source, retriever: server.url, test_rows: 1, top_k: 1 });
      const environment = task.policy.environment!();
      const row = task.policy.rows[0]!;
      expect(await environment.reset(row.task, { random: Random.fromSeed(1) })).toEqual(row.messages);
      const { observation } = await environment.step('<search>capital of France</search>');
      expect(observation).toContain('Paris is the capital');
      expect(task.counted?.().facts.map(({ value }) => value)).toEqual(['1', '0']);
      await environment.dispose();
    } finally {
      await server.close();
    }
  });

  it('runs programs against the tests of their rows', async () => {
    const task = await taskOf({ task: 'kodcode', source: `${fixtures}/kodcode` });
    try {
      const completions = task.policy.rows.map(({ task: row }) => {
        const { solution } = row as { solution: string };
        return { row, completion: `\`\`\`python\n${solution}\n\`\`\``, ids: [1], finished: 'end' as const };
      });
      const rewards = await task.policy.rewards.correct!.score(completions);
      // One row needs a package that the sandbox does not have.
      expect(rewards.filter((reward) => !Number.isNaN(reward?.value)).map((reward) => reward?.value)).toContain(1);
      expect(await rewardOf(task, 'form', completions[0]!.completion)).toBe(1);
      expect(await rewardOf(task, 'partial', 'I do not know.')).toBeOneOf([0, NaN]);
    } finally {
      await task.dispose!();
    }
  });
});
