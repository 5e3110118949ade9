import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { answerFormatReward, answerPresetReward, answerReward } from '../rewards/index.js';
import { isExactMatch, normalizeAnswer } from './question-answering.js';
import { invalidActionMessage, SearchEnvironment, searchSystemPrompt } from './search-environment.js';

const task = { id: 'q', question: 'Which animal is on the flag?', answers: ['heron', 'the Heron'] };
const random = Random.fromSeed(1);
const asked: string[] = [];
const retrieve = (queries: readonly string[], { topK }: { topK: number }) => {
  asked.push(`${queries.join()} ${topK}`);
  if (queries[0] === 'fail') return Promise.reject(new Error('down'));
  return Promise.resolve([
    [
      { title: 'Flag', text: 'A heron.', score: 2 },
      { title: 'Bird', text: 'Flies.', score: 1 },
    ],
  ]);
};

describe('SearchEnvironment', () => {
  it("asks, searches and answers in the reference's words", async () => {
    const environment = new SearchEnvironment({ retrieve });
    expect(await environment.reset(task, { random })).toEqual([
      { role: 'system', content: searchSystemPrompt },
      { role: 'user', content: 'Which animal is on the flag?' },
    ]);
    expect(searchSystemPrompt).toMatch(/^Answer the given question\. .* For example, <answer> Beijing <\/answer>\. $/);
    const first = await environment.step('<think> hm </think><search> the flag\nof it </search> and more');
    expect(first).toEqual({
      action: '<think> hm </think><search> the flag\nof it </search>',
      observation: 'Doc 1(Title: Flag) A heron.\nDoc 2(Title: Bird) Flies.\n',
      reward: 0,
      done: false,
      info: { kind: 'search', query: 'the flag', found: 2 },
    });
    expect(asked).toEqual(['the flag 3']);
    expect(await environment.step('hm')).toMatchObject({ observation: invalidActionMessage, done: false });
    expect(await environment.step('<search> fail </search>')).toMatchObject({
      observation: 'Cannot find corresponding pages.',
      info: { error: 'down' },
    });
    expect(await environment.step('<answer> A Heron, white </answer> x')).toMatchObject({
      action: '<answer> A Heron, white </answer>',
      observation: undefined,
      reward: 1,
      done: true,
    });
    await expect(environment.step('more')).rejects.toMatchObject({ code: 'environment-done' });
  });

  it('scores by exact match if told so, and starts anew', async () => {
    const environment = new SearchEnvironment({ retrieve, scoring: 'exact-match' });
    for (const [answer, reward] of [
      ['The heron!', 1],
      ['a white heron', 0],
    ] as const) {
      await environment.reset(task, { random });
      expect(await environment.step(`<answer>${answer}</answer>`)).toMatchObject({ reward, done: true });
    }
  });
});

describe('scores of answers', () => {
  it('normalises as SQuAD does', () => {
    expect(normalizeAnswer('  The  Beatles,  (a band) ')).toBe('beatles band');
    expect(normalizeAnswer("Theatre d'Art")).toBe('theatre dart');
    expect(isExactMatch('U.S.A.', ['usa'])).toBe(true);
  });

  it('keeps form and correctness apart, and the mixture of the reference', async () => {
    const samples = ['<answer>a heron</answer>', '<answer>white heron</answer>', '<answer>owl</answer>', 'heron'].map(
      (completion) => ({ row: task, completion }),
    );
    const values = async (reward: ReturnType<typeof answerReward>) =>
      (await reward.score(samples)).map(({ value }) => value);
    expect(await values(answerReward())).toEqual([1, 0, 0, 0]);
    expect(await values(answerReward({ scoring: 'contains' }))).toEqual([1, 1, 0, 0]);
    expect(await values(answerFormatReward())).toEqual([1, 1, 1, 0]);
    expect(await values(answerPresetReward())).toEqual([1, 1, 0.5, 0]);
  });
});
