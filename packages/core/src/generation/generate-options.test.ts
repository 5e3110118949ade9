// Settings out of range are refused by name, before anything is computed.
import { describe, expect, it } from 'vitest';
import { checkGenerateOptions, type GenerateOptions } from './generate-options.js';

describe('checkGenerateOptions', () => {
  it.each<[string, Partial<GenerateOptions>]>([
    ['maxNewTokens', { maxNewTokens: -1 }],
    ['maxNewTokens', { maxNewTokens: NaN }],
    ['samplesPerPrompt', { samplesPerPrompt: 0 }],
    ['topLogProbabilities', { topLogProbabilities: 1.5 }],
    ['prefillChunk', { prefillChunk: 0 }],
    ['contextLength', { contextLength: 0 }],
    ['maxInferencePoints', { maxInferencePoints: -1 }],
    ['minimumPointDistance', { minimumPointDistance: 0 }],
    ['stopStrings', { stopStrings: ['a', ''] }],
    ['seeds', { seeds: [1] }],
    ['seeds', { seeds: [1, 2], samplesPerPrompt: 2 }],
  ])('refuses %s in %o', (name, options) => {
    expect(() => {
      checkGenerateOptions([[1], [2]], { maxNewTokens: 1, ...options });
    }).toThrow(expect.objectContaining({ code: 'generate-options', message: expect.stringContaining(name) }));
  });

  it('refuses a prompt that no token can follow, with both numbers', () => {
    const check = (contextLength: number) => () => {
      checkGenerateOptions([[1], [2, 3, 4]], { maxNewTokens: 1, contextLength });
    };
    expect(check(4)).not.toThrow();
    const numbers = { got: '3 tokens', expected: expect.stringMatching(/^at most 2,.* 3 positions$/) };
    expect(check(3)).toThrow(expect.objectContaining({ code: 'context-length', where: 'prompt 1', ...numbers }));
  });

  it('allows what is in range', () => {
    expect(() => {
      checkGenerateOptions([[1], [2]], { maxNewTokens: 0, seeds: [-1, 2, 3, 4], samplesPerPrompt: 2, stopStrings: [] });
    }).not.toThrow();
  });
});
