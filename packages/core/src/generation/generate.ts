// Text generation, with or without latents woven in: one loop, one sampler, caches that survive every weave.
import { MemGenError, Random } from '@memgen/common';
import type { Trigger } from '../memgen/trigger.js';
import type { Weaver } from '../memgen/weaver.js';
import type { Decoder } from '../model/decoder.js';
import { endsWithDelimiter } from '../text/delimiter.js';
import { IncrementalDecoder } from '../text/incremental-decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { GenerationBatch } from './generation-batch.js';
import { checkSampling, sampleToken, type SamplingOptions } from './sampler.js';
import { stepDecoderOf, type DecodingMode } from './step-decoders.js';
import { decides, TriggerReader } from './trigger-reader.js';

export interface GenerateOptions {
  /** Tokens that end a row. @default the tokenizer's end tokens */
  endIds?: readonly number[];
  maxNewTokens: number;
  sampling?: SamplingOptions;
  /** Stream of the sampling; each row draws from a fork of its own. @default seed 0 */
  random?: Random;
  /** Weaves latents after the prompt and at sentence ends. */
  weaver?: Weaver | undefined;
  /** Decides at each point whether to weave. @default every point is woven */
  trigger?: Trigger | undefined;
  /** The trigger's choice: 0 takes the likelier one, else it is drawn. @default 0 */
  triggerTemperature?: number;
  /** Most times that latents are woven into the completion of a row; the prompt point is not counted. @default 5 */
  maxInferencePoints?: number;
  /** How new tokens are computed; the prompt is always read on the backend. @default "auto" */
  decoding?: DecodingMode;
  signal?: AbortSignal;
  /** Called with every new token, e.g. for streaming. */
  onToken?: (row: number, id: number) => void;
  /** Unstable, for parity tests: the logits `[rows * vocabulary]` of every step, borrowed. */
  _onLogits?: (step: number, rows: readonly number[], logits: Float32Array) => void;
}

/** What happened before a generated token: no point, a point that was refused, latents woven in. */
export type Augmentation = -100 | 0 | 1;

export interface GeneratedRow {
  /** New tokens, with the end token if there was one. */
  ids: number[];
  /** One entry per token of `ids`. */
  augmentations: Augmentation[];
  finished: 'end' | 'length' | 'aborted';
}

interface RowState extends GeneratedRow {
  index: number;
  text: IncrementalDecoder;
  random: Random;
  /** For the trigger, so that its draws do not change those of the tokens. */
  triggerRandom: Random;
  /** Times that latents were woven into the completion. */
  inferencePoints: number;
  done: boolean;
}

/**
 * Continues each prompt. Greedy results equal the reference implementation's up to the first end token. Rows end by
 * themselves; when half of a batch has ended, the rest goes on in a smaller one.
 * @param prompts - token ids, any lengths.
 */
export async function generate(
  reasoner: { decoder: Decoder; tokenizer: Tokenizer },
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<GeneratedRow[]> {
  const { decoder, tokenizer } = reasoner;
  const { maxNewTokens, sampling = {}, random = Random.fromSeed(0), weaver, maxInferencePoints = 5, signal } = options;
  const { trigger, triggerTemperature = 0 } = options;
  const endIds = new Set(options.endIds ?? tokenizer.eosIds);
  checkSampling(sampling);
  checkSampling({ temperature: triggerTemperature });
  const longest = Math.max(0, ...prompts.map((prompt) => prompt.length));
  if (prompts.length === 0 || prompts.some((prompt) => prompt.length === 0)) {
    throw new MemGenError({ code: 'generate-prompt', message: 'every prompt needs at least one token' });
  }

  const rows = prompts.map((prompt, index): RowState => {
    const text = new IncrementalDecoder(tokenizer);
    for (const id of prompt) text.push(id);
    return {
      index, text, ids: [], augmentations: [], finished: 'length', inferencePoints: 0, done: false,
      random: random.fork(`row ${index}`), triggerRandom: random.fork(`trigger of row ${index}`),
    }; // prettier-ignore
  });
  const stepDecoder = () => stepDecoderOf(decoder, options.decoding ?? 'auto');
  const batch = new GenerationBatch(decoder, rows.length, { weaver, stepDecoder });
  const judge =
    weaver === undefined || trigger === undefined
      ? undefined
      : new TriggerReader(trigger, prompts.map((prompt) => [...prompt]), tokenizer.padId); // prettier-ignore
  let active = rows;
  let ids: number[][] = prompts.map((prompt) => [
    ...Array.from({ length: longest - prompt.length }, () => 0),
    ...prompt,
  ]);
  let mask: number[][] = prompts.map((prompt) =>
    Array.from({ length: longest }, (_, t) => (t >= longest - prompt.length ? 1 : 0)),
  );
  try {
    for (let step = 0; step < maxNewTokens; step++) {
      // Lets timers and signals through: with the backends that compute synchronously nothing else here waits.
      if (signal !== undefined) await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted === true) {
        for (const row of active) if (!row.done) row.finished = 'aborted';
        break;
      }
      const decisions = await decide(step);
      const weave = decisions.map((decision) => decision === 1);
      const logits = await batch.read(ids, mask, step === 0 ? 'prompt' : 'inference', weave);
      options._onLogits?.(
        step,
        active.map((row) => row.index),
        logits,
      );
      const width = logits.length / active.length;
      active.forEach((row, b) => {
        if (row.done) return;
        const id = sampleToken(logits.subarray(b * width, (b + 1) * width), sampling, row.random);
        row.ids.push(id);
        row.augmentations.push(decisions[b]!);
        row.text.push(id);
        judge?.push(b, id);
        options.onToken?.(row.index, id);
        if (!endIds.has(id)) return;
        row.done = true;
        row.finished = 'end';
      });
      const going = active.flatMap((row, b) => (row.done ? [] : [b]));
      if (going.length === 0) break;
      if (going.length <= active.length / 2) {
        batch.select(going);
        judge?.select(going);
        active = going.map((b) => active[b]!);
      }
      ids = active.map((row) => [row.ids.at(-1)!]);
      mask = active.map((row) => [row.done ? 0 : 1]);
    }
  } finally {
    batch.dispose();
    judge?.dispose();
  }
  return rows.map(({ ids, augmentations, finished }) => ({ ids, augmentations, finished }));

  /** What happens before the next token of each row. */
  async function decide(step: number): Promise<Augmentation[]> {
    const atPoint = active.map((row) => {
      if (weaver === undefined || row.done) return false;
      return step === 0 || (row.inferencePoints < maxInferencePoints && endsWithDelimiter(row.text.text));
    });
    const logits = judge !== undefined && atPoint.includes(true) ? await judge.judge() : undefined;
    return active.map((row, b) => {
      if (!atPoint[b]!) return -100;
      const weaves =
        logits === undefined || decides(logits.subarray(2 * b, 2 * b + 2), triggerTemperature, row.triggerRandom);
      if (weaves && step > 0) row.inferencePoints++;
      return weaves ? 1 : 0;
    });
  }
}
