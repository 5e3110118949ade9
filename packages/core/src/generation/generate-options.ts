// Settings of a generation, and what is checked before it starts.
import { MemGenError, type Random } from '@memgen/common';
import type { Trigger } from '../memgen/trigger.js';
import type { Weaver } from '../memgen/weaver.js';
import { requireRoom } from '../model/context-length.js';
import type { LoraAdapter } from '../model/lora.js';
import type { DelimiterRule } from '../text/delimiter.js';
import { checkSampling, type SamplingOptions } from './sampler.js';
import type { DecodingMode } from '../inference/step-decoders.js';

/** Points that there are: behind the prompt, and inside the completion. */
export type WeavingPlaces = 'prompt' | 'prompt-and-inference';

export interface GenerateOptions {
  /** Most new tokens of a row; it also ends, with the reason `length`, where the context does. */
  maxNewTokens: number;
  /**
   * Most positions of a row: prompt, latents and new tokens. Latents that no token could follow are not woven. The
   * reference has no such limit, which is `Infinity`. @default `contextLength` of the model
   */
  contextLength?: number;
  /** Tokens that end a row. @default the tokenizer's end tokens */
  endIds?: readonly number[];
  /** Texts that end a row, also across the borders of tokens. @default none */
  stopStrings?: readonly string[];
  /** Whether a stop string stays at the end of the text. @default false */
  keepStopString?: boolean;
  /** Whether special tokens are left out of the text and of the search for stop strings. @default true */
  skipSpecialTokens?: boolean;
  /** @default greedy */
  sampling?: SamplingOptions;
  /** Stream of the sampling; each row draws from a fork of its own, named by its index. @default seed 0 */
  random?: Random;
  /**
   * One integer for each row of the results, in place of `random`: what a row draws depends on its seed alone, not on its
   * index nor on who shares the batch.
   */
  seeds?: readonly number[];
  /** Continuations of each prompt, which is read once for all of them. @default 1 */
  samplesPerPrompt?: number;
  /** Records the log-probability of each token. @default false */
  logProbabilities?: boolean;
  /** Records this many of the likeliest tokens at each place. @default 0 */
  topLogProbabilities?: number;
  /** Adapter over the reasoner, in use for this generation only. */
  adapter?: LoraAdapter | undefined;
  /** Weaves latents after the prompt and at sentence ends. */
  weaver?: Weaver | undefined;
  /** Decides at each point whether to weave. @default every point is woven */
  trigger?: Trigger | undefined;
  /** The trigger's choice: 0 takes the likelier one, else it is drawn. @default 0 */
  triggerTemperature?: number;
  /** Most times that latents are woven into the completion of a row; the prompt point is not counted. @default 5 */
  maxInferencePoints?: number;
  /** Where in the completion latents may be woven in. @default "reference": after every comma, period and newline */
  delimiterRule?: DelimiterRule;
  /**
   * Fewest tokens from one weaving to the next of a row, that of the prompt included: the trigger is not asked earlier. A
   * refusal delays nothing. @default 1, which is no limit
   */
  minimumPointDistance?: number;
  /**
   * `"prompt"` weaves behind the prompt only, whatever the completion and `maxInferencePoints` are.
   * @default "prompt-and-inference"
   */
  weaveAt?: WeavingPlaces;
  /**
   * Records every point: where, what the trigger found, what was woven and how long it took. What the latents resemble is
   * looked up in all embeddings of the reasoner, which takes some time at each point. @default false
   */
  trace?: boolean;
  /** Milliseconds of any origin, for the times in a trace; without it they are left out. */
  clock?: () => number;
  /** How new tokens are computed, and prompts where that is faster. @default "auto" */
  decoding?: DecodingMode;
  /**
   * Most columns of a prompt that are computed at a time, so that the memory for attention grows linearly with its length.
   * A weaver reads the prompt at once. @default 512
   */
  prefillChunk?: number;
  /** Ends the generation before the next token. */
  signal?: AbortSignal;
  /** Unstable, for parity tests: the logits `[rows * vocabulary]` of every step, borrowed. */
  _onLogits?: (step: number, rows: readonly number[], logits: Float32Array) => void;
}

/**
 * @throws MemGenError `generate-prompt` for an empty prompt or none, `generate-options` and `sampling` for values out of
 *   range, `context-length` for a prompt that no token can follow.
 */
export function checkGenerateOptions(
  prompts: readonly (readonly number[])[],
  {
    maxNewTokens,
    contextLength = Infinity,
    sampling = {},
    seeds,
    stopStrings = [],
    samplesPerPrompt = 1,
    topLogProbabilities = 0,
    prefillChunk = 512,
    triggerTemperature = 0,
    maxInferencePoints = 5,
    minimumPointDistance = 1,
  }: GenerateOptions,
): void {
  if (prompts.length === 0 || prompts.some((prompt) => prompt.length === 0)) {
    throw new MemGenError({ code: 'generate-prompt', message: 'every prompt needs at least one token' });
  }
  checkSampling(sampling);
  checkSampling({ temperature: triggerTemperature });
  checkCount('maxNewTokens', maxNewTokens, 0);
  checkCount('samplesPerPrompt', samplesPerPrompt, 1);
  if (maxInferencePoints !== Infinity) checkCount('maxInferencePoints', maxInferencePoints, 0);
  checkCount('minimumPointDistance', minimumPointDistance, 1);
  checkCount('topLogProbabilities', topLogProbabilities, 0);
  checkCount('prefillChunk', prefillChunk, 1);
  if (contextLength !== Infinity) checkCount('contextLength', contextLength, 1);
  if (stopStrings.includes('')) throw outOfRange('stopStrings', 'an empty text', 'texts of at least one character');
  const rows = prompts.length * samplesPerPrompt;
  if (seeds !== undefined && seeds.length !== rows) {
    throw outOfRange('seeds', `${seeds.length} of them`, `${rows}: one for each row of the results`);
  }
  requireRoom(prompts, contextLength);
}

function checkCount(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw outOfRange(name, String(value), `a whole number, ${least} or more`);
}

function outOfRange(name: string, got: string, expected: string): MemGenError {
  return new MemGenError({ code: 'generate-options', message: `${name} is out of range`, got, expected });
}
