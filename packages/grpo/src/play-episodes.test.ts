// Episodes of many turns: ids that only grow, rows that leave, environments that are slow or fail, agreement with training.
import { Random } from '@memgen/common';
import { ChatTemplate, ignoredLabel, startBackend, type Decoder, type Trigger, type Weaver } from '@memgen/core';
import { LanguageModelTrigger } from '@memgen/trigger';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frozenDecoder, tinyConfig } from '../../core/src/model/tiny-decoder.test-helper.js';
import { smallTokenizer } from '../../core/src/text/__fixtures__/small-tokenizer.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { decidedEpisode, labelledEpisode, wovenTurns } from './episode.js';
import { playEpisodes, sharedPrompts, type PlayEpisodesOptions } from './play-episodes.js';
import { CountingEnvironment, type CountingTask } from './test-environments.test-helper.js';
import { cutObservation, idsAfterTurn, textAfterTurn } from './text-after-turn.js';
import { completionLogProbabilities } from './weaver-objective.js';

const tokenizer = smallTokenizer();
let decoder: Decoder;
let weaver: Weaver;
let trigger: Trigger;
let before: number;

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  const vocabulary = tokenizer.vocabularySize;
  decoder = await frozenDecoder(tinyConfig({ vocab_size: vocabulary, max_position_embeddings: 512 }));
  weaver = tinyWeaver(decoder);
  trigger = LanguageModelTrigger.initialize(
    decoder,
    { lora: { r: 2, alpha: 4, targetModules: ['q_proj'] } },
    Random.fromSeed(3),
  );
});
afterAll(() => {
  for (const model of [trigger, weaver, decoder]) model.dispose();
});
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

function play(tasks: CountingTask[], options: Partial<PlayEpisodesOptions<CountingTask>> = {}) {
  const environments = tasks.map(() => new CountingEnvironment());
  return playEpisodes({
    reasoner: { decoder, tokenizer },
    tasks,
    environments,
    random: Random.fromSeed(1),
    temperature: 1,
    maxCompletionLength: 6,
    ...options,
  });
}

describe('playEpisodes', () => {
  it('keeps what was generated, appends observations, and lets finished rows leave', async () => {
    const tasks = [1, 3, 2].map((turns, i): CountingTask => ({ name: `task ${i}`, turns }));
    const environments = tasks.map(() => new CountingEnvironment());
    const episodes = await play(tasks, { environments });
    expect(episodes.map(({ turns }) => turns.length)).toEqual([1, 3, 2]);
    expect(episodes.map(({ end, reward }) => [end, reward])).toEqual([['done', 1], ['done', 3], ['done', 2]]); // prettier-ignore
    episodes.forEach(({ ids, turns, messages }, i) => {
      const opening = `<|im_start|>system\nCount.<|im_end|>\n<|im_start|>user\ntask ${i}<|im_end|>\n<|im_start|>assistant\n`;
      const between = '<|im_end|>\n<|im_start|>user\nagain<|im_end|>\n<|im_start|>assistant\n';
      const expected = turns.flatMap((turn, t) => [
        ...tokenizer.encode(t === 0 ? opening : between).slice(t > 0 && turns[t - 1]!.ids.at(-1) === 267 ? 1 : 0),
        ...turn.ids,
      ]);
      expect(ids).toEqual(expected);
      for (const turn of turns) {
        expect(ids.slice(turn.start, turn.start + turn.ids.length)).toEqual(turn.ids);
        expect(turn.logProbabilities).toHaveLength(turn.ids.length);
      }
      expect(environments[i]!.seen).toEqual(turns.map(({ text }) => text));
      expect(messages!.filter(({ role }) => role === 'assistant').map(({ content }) => content)).toEqual(
        turns.map(({ text }) => text),
      );
      const { labels, points } = labelledEpisode({ ids, turns });
      expect(labels.filter((label) => label !== ignoredLabel)).toEqual(turns.flatMap((turn) => turn.ids));
      expect(points).toEqual([]);
    });
  });

  it('depends on the stream of chance alone, and gathers everyone to the same end', async () => {
    const tasks = [2, 3].map((turns): CountingTask => ({ name: 'same', turns }));
    const episodes = await play(tasks);
    expect(episodes[0]!.turns[0]!.ids).not.toEqual(episodes[1]!.turns[0]!.ids);
    expect(await play(tasks)).toEqual(episodes);
    expect(await play(tasks, { gathering: 'all' })).toEqual(episodes);
    expect(await play(tasks, { random: Random.fromSeed(2) })).not.toEqual(episodes);
  });

  it('goes on with those whose environments have answered', async () => {
    let release: () => void = () => undefined;
    const othersAreDone = new Promise<void>((resolve) => {
      release = resolve;
    });
    // The first environment answers only after the second has come to its end.
    const slow: CountingTask = { name: 'slow', turns: 2, wait: () => othersAreDone };
    const fast: CountingTask = {
      name: 'fast',
      turns: 3,
      wait: (turn) => {
        if (turn === 3) release();
        return Promise.resolve();
      },
    };
    const episodes = await play([slow, fast]);
    expect(episodes.map(({ end, turns }) => [end, turns.length])).toEqual([['done', 2], ['done', 3]]); // prettier-ignore
  });

  it('fails the episode of an environment that fails, and no other', async () => {
    const broken: CountingTask = {
      name: 'broken',
      turns: 3,
      wait: (turn) => (turn === 2 ? Promise.reject(new Error('connection lost')) : Promise.resolve()),
    };
    const episodes = await play([broken, { name: 'sound', turns: 2 }, { name: 'unknown', turns: 2 }]);
    expect(episodes[0]).toMatchObject({ end: 'failed', failure: 'connection lost', reward: NaN });
    expect(episodes[0]!.turns).toHaveLength(2);
    expect(episodes[1]).toMatchObject({ end: 'done', reward: 2 });
    expect(episodes[2]).toMatchObject({ end: 'failed', failure: 'there is no such task', turns: [] });
    const { labels } = labelledEpisode(episodes[2]!);
    expect(labels).toEqual([]);
  });

  it('ends at the most turns and at the longest length', async () => {
    const endless: CountingTask = { name: 'endless', turns: Infinity };
    const [turns] = await play([endless], { environments: [new CountingEnvironment(2)] });
    expect(turns).toMatchObject({ end: 'turns', reward: 2 });
    const [long] = await play([endless], { maxLength: 80 });
    expect(long).toMatchObject({ end: 'length', reward: long!.turns.length });
    expect(long!.ids.length).toBeLessThanOrEqual(80);
    const first = (await play([endless], { maxLength: 400 }))[0]!.turns[0]!;
    const environment = new CountingEnvironment();
    const [cut] = await play([endless], { maxLength: first.start + 2, environments: [environment] });
    expect(cut).toMatchObject({ end: 'length', turns: [{ ids: first.ids.slice(0, 2) }] });
    expect(environment.seen).toHaveLength(1);
    const [empty] = await play([endless], { maxLength: 20 });
    expect(empty).toMatchObject({ end: 'length', turns: [] });
  });

  it('cuts long observations as the reference does', async () => {
    const [episode] = await play([{ name: 'long', turns: 2, observation: 'abcdefgh' }], { maxObservationLength: 3 });
    expect(episode!.messages!.at(-2)).toEqual({ role: 'user', content: 'abc...' });
    expect(tokenizer.decode(episode!.ids)).toContain('user\nabc...<|im_end|>');
  });

  it('reads the prompt of a group once, and draws differently in it', () => {
    expect(sharedPrompts([[1, 2], [1, 2], [3], [3]])).toEqual({ prompts: [[1, 2], [3]], samples: 2 }); // prettier-ignore
    expect(sharedPrompts([[1, 2], [1, 2], [3]])).toEqual({ prompts: [[1, 2], [1, 2], [3]], samples: 1 }); // prettier-ignore
    expect(sharedPrompts([[1], [2]])).toEqual({ prompts: [[1], [2]], samples: 1 });
  });

  it('has in training the probabilities and the decisions of every turn', async () => {
    const tasks = [1, 3, 2].map((turns): CountingTask => ({ name: `task ${turns}`, turns, observation: 'go on.' }));
    const episodes = await play(tasks, { weaver, trigger, triggerTemperature: 1, maxCompletionLength: 16 });
    const sequences = episodes.map(wovenTurns);
    expect(sequences.map((turns) => turns.length)).toEqual([1, 3, 2]);
    const { logProbabilities } = await completionLogProbabilities(decoder, sequences, { weaver });
    logProbabilities.forEach((row, b) => {
      const drawn = episodes[b]!.turns.flatMap((turn) => [...turn.logProbabilities!]);
      expect(row.length).toBe(drawn.length);
      row.forEach((value, t) => {
        expect(Math.abs(value - drawn[t]!)).toBeLessThan(1e-4);
      });
    });
    episodes.forEach((episode) => {
      const { ids, decisions } = decidedEpisode(episode);
      for (const { start, augmentations } of episode.turns) {
        expect(decisions).toContainEqual({ index: start, weave: augmentations[0] === 1 });
      }
      expect(episode.ids.slice(0, ids.length)).toEqual(ids);
    });
  });

  it('stops when it is aborted, also in the middle of a step', async () => {
    const controller = new AbortController();
    const task: CountingTask = {
      name: 'stuck',
      turns: 2,
      wait: () => {
        controller.abort(new Error('enough'));
        return new Promise((resolve) => setTimeout(resolve, 5));
      },
    };
    await expect(play([task], { signal: controller.signal })).rejects.toThrow('enough');
  });

  it('needs an environment for each task', async () => {
    const environment = new CountingEnvironment();
    const tasks = [{ name: 'a', turns: 1 }, { name: 'b', turns: 1 }]; // prettier-ignore
    await expect(play(tasks, { environments: [environment] })).rejects.toMatchObject({ code: 'episodes' });
    await expect(play(tasks, { environments: [environment, environment] })).rejects.toMatchObject({ code: 'episodes' });
  });
});

describe('textAfterTurn', () => {
  const messages = [{ role: 'user', content: 'turn, turnx?' }] as const;

  it('is what the template writes between two turns, whatever the words are', () => {
    const expected = '<|im_end|>\n<|im_start|>user\nyour turn<|im_end|>\n<|im_start|>assistant\n';
    expect(textAfterTurn(ChatTemplate.chatMl(), messages, 'your turn')).toBe(expected);
  });

  it('takes a template of a model, and refuses one that hides what the assistant said', () => {
    const source =
      '{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}</s>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}';
    expect(textAfterTurn(ChatTemplate.fromSource(source), messages, ' hm ')).toBe('</s>[user]hm</s>[assistant]');
    const hiding = ChatTemplate.fromSource('{{ messages | length }} messages');
    expect(() => textAfterTurn(hiding, messages, 'hm')).toThrow(expect.objectContaining({ code: 'episode-template' }));
  });

  it('leaves out the end that the model has written', () => {
    const text = '<|im_end|>\nnext';
    const ids = tokenizer.encode(text);
    expect(idsAfterTurn(tokenizer, text, tokenizer.eosId)).toEqual(ids.slice(1));
    expect(idsAfterTurn(tokenizer, text, 5)).toEqual(ids);
    expect(cutObservation(tokenizer, 'hello hello', 20)).toBe('hello hello');
    expect(cutObservation(tokenizer, 'hello', 0)).toBe('...');
  });
});
