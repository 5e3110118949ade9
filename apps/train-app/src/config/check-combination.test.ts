import { MemGenError } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from './load-experiment.js';

const shop = { task: 'tiny-shop' };
const parse = (config: object) => parseExperiment({ name: 'a', data: shop, ...config }, 'test');

function problemOf(config: object): Partial<MemGenError> {
  try {
    parse(config);
  } catch (error) {
    if (MemGenError.isInstance(error)) return { code: error.code, message: error.message, expected: error.expected };
  }
  return {};
}

describe('settings that do not go together', () => {
  it.each([
    ['a trigger by sft', { training: { train: 'trigger' } }, 'training.method grpo'],
    ['a reasoner by grpo', { training: { method: 'grpo', train: 'reasoner' } }, 'weaver, trigger or adapter'],
    ['a penalty for a weaver', { training: { method: 'grpo', grpo: { penalty: {} } } }, 'training.train trigger'],
    ['sft without solved rows', { data: { task: 'triviaqa' } }, 'training.method grpo'],
    ['a partial reward of a shop', { training: { method: 'grpo', grpo: { rewards: { partial: 1 } } } }, 'kodcode'],
    [
      'an environment whose reward does not count',
      { data: { task: 'tiny-search' }, training: { method: 'grpo', grpo: { rewards: { correct: 0, form: 1 } } } },
      'correct 1',
    ],
    ['no reward at all', { training: { method: 'grpo', grpo: { rewards: { correct: 0 } } } }, 'a weight other than 0'],
    ['accumulation in grpo', { training: { method: 'grpo', gradient_accumulation: 2 } }, 'prompts_per_step'],
    ['half a rollout', { training: { method: 'grpo', max_steps: 7, grpo: { iterations: 3 } } }, '6 or 9'],
    [
      'an arm without its trigger',
      { evaluation: { arms: ['weaver+trigger'] } },
      'training.train trigger, or trigger.from',
    ],
    ['an arm without its adapter', { evaluation: { arms: ['adapter'] } }, 'adapter.from'],
  ])('%s', (_, config, expected) => {
    expect(problemOf(config)).toMatchObject({ code: 'config', expected: expect.stringContaining(expected) });
  });

  it('are no others', () => {
    const { experiment } = parse({
      data: { task: 'tiny-mix' },
      weaver: { from: 'w' },
      training: { method: 'grpo', train: 'trigger', grpo: { penalty: {} } },
    });
    expect(experiment.evaluation.arms).toEqual(['vanilla', 'random-weaver', 'weaver', 'weaver+trigger']);
    // The reference's rates of weavers and of triggers.
    expect(experiment.training.learningRate).toBe(1e-6);
    expect(experiment.training.grpo.penalty).toEqual({ lambda: 0.1, scope: 'batch' });
    expect(parse({ training: { train: 'adapter' } }).experiment).toMatchObject({
      training: { learningRate: 1e-5 },
      evaluation: { arms: ['vanilla', 'adapter'] },
    });
  });
});
