// Tests of the search in the shop: what its tasks ask, what a query shows, what is rewarded.
import { describe, expect, it } from 'vitest';
import { ShopSearchEnvironment } from './shop-search-environment.js';
import { shopSearchTasks, solvedSearch, type ShopSearchTask } from './shop-search.js';
import { createShop } from './shop.js';

const shop = createShop({ seed: 2 });
const tasks = shopSearchTasks({ shop, seed: 1, rows: 200 });

const task: ShopSearchTask = {
  family: 'sum',
  question: 'How much is a bowl and a clock?',
  things: ['bowl', 'clock'],
  prices: [
    { item: 'clock', price: 9 },
    { item: 'bowl', price: 5 },
    { item: 'drum', price: 3 },
    { item: 'hat', price: 4 },
    { item: 'jar', price: 6 },
  ],
  answer: '14',
  solution: ['Cost: bowl, clock?', 'Cost: bowl 5, clock 9. 5 + 9 = 14. \\boxed{14}'],
};

/** Plays the texts and returns what happened. */
async function play(own: ShopSearchTask, texts: readonly string[]) {
  const environment = new ShopSearchEnvironment();
  await environment.reset(own);
  const steps = [];
  for (const text of texts) steps.push(await environment.step(text));
  await environment.dispose();
  return steps;
}

describe('shopSearchTasks', () => {
  it('asks what only the price list answers', () => {
    expect(new Set(tasks.map(({ family }) => family))).toEqual(new Set(['sum', 'mul', 'change']));
    for (const { question, things, prices } of tasks) {
      expect(question).not.toMatch(/Price/);
      for (const thing of things) {
        expect(question).toContain(` ${thing}`);
        expect(prices.map(({ item }) => item)).toContain(thing);
      }
    }
  });

  it('tests combinations that training does not have', () => {
    const key = ({ things, question }: ShopSearchTask) => [...things].sort().join() + String(question.match(/\d+/g));
    const trained = new Set(tasks.map(key));
    const tested = shopSearchTasks({ shop, seed: 1, rows: 100, split: 'test' });
    expect(tested.every((own) => !trained.has(key(own)))).toBe(true);
    expect(shopSearchTasks({ shop, seed: 1, rows: 100, split: 'test' })).toEqual(tested);
  });

  it('has solutions that its environment rewards', async () => {
    for (const own of tasks.slice(0, 40)) {
      const [, asking, shown, answering] = solvedSearch(own);
      const [first, second] = await play(own, [asking!.content, answering!.content]);
      expect(first).toMatchObject({ observation: shown!.content, reward: 0, done: false });
      expect(second).toMatchObject({ reward: 1, done: true, info: { kind: 'answer', answer: own.answer } });
    }
  });
});

describe('ShopSearchEnvironment', () => {
  it('starts with the question alone', async () => {
    expect(await new ShopSearchEnvironment().reset(task)).toEqual([{ role: 'user', content: task.question }]);
  });

  it('shows prices in the order asked, each once, and asks again', async () => {
    const [step] = await play(task, ['Cost: clock, bowl, clock?']);
    expect(step).toMatchObject({
      observation: 'Prices: 9 clock, 5 bowl. How much is a bowl and a clock?',
      info: { kind: 'ask', asked: ['clock', 'bowl', 'clock'] },
    });
  });

  it('knows only what the shop sells, and at most four things at a time', async () => {
    const [unknown] = await play(task, ['Cost: moon, bowl?']);
    expect(unknown!.observation).toMatch(/^Prices: 5 bowl\. /);
    const [nothing] = await play(task, ['Cost: moon?']);
    expect(nothing).toMatchObject({ observation: 'Prices: none. How much is a bowl and a clock?', done: false });
    const [all] = await play(task, ['Cost: clock, bowl, drum, hat, jar?']);
    expect(all!.observation).toMatch(/^Prices: 9 clock, 5 bowl, 3 drum, 4 hat\. /);
  });

  it('rewards no answer without a question', async () => {
    const [step] = await play(task, [task.solution[1]]);
    expect(step).toMatchObject({ reward: 0, done: true, observation: undefined, info: { answer: '14' } });
  });

  it('rewards neither a wrong answer nor a second question', async () => {
    expect((await play(task, ['Cost: bowl?', '\\boxed{15}']))[1]).toMatchObject({ reward: 0, done: true });
    const again = await play(task, ['Cost: bowl?', 'Cost: clock?']);
    expect(again[1]).toMatchObject({ reward: 0, done: true, info: { kind: 'invalid' } });
  });

  it('can be used again, but not without an episode', async () => {
    const environment = new ShopSearchEnvironment();
    await expect(environment.step('Cost: bowl?')).rejects.toMatchObject({ code: 'environment-done' });
    for (let episode = 0; episode < 2; episode++) {
      await environment.reset(task);
      expect((await environment.step('Cost: bowl, clock?')).done).toBe(false);
      expect((await environment.step('\\boxed{14}')).reward).toBe(1);
      await expect(environment.step('more')).rejects.toMatchObject({ code: 'environment-done' });
    }
  });
});
