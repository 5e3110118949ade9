// Text generation, with or without latents woven in: one loop, one sampler, caches that survive every weave.
import { MemGenError, Random } from '@memgen/common';
import type { Weaver } from '../memgen/weaver.js';
import type { Decoder } from '../model/decoder.js';
import { endsWithDelimiter } from '../text/delimiter.js';
import { IncrementalDecoder } from '../text/incremental-decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { GenerationBatch } from './generation-batch.js';
import { checkSampling, sampleToken, type SamplingOptions } from './sampler.js';

export interface GenerateOptions {
  /** Tokens that end a row. @default the tokenizer's end tokens */
  endIds?: readonly number[];
  maxNewTokens: number;
  sampling?: SamplingOptions;
  /** Stream of the sampling; each row draws from a fork of its own. @default seed 0 */
  random?: Random;
  /** Weaves latents after the prompt and at sentence ends. */
  weaver?: Weaver | undefined;
  /** Most inference points of a row; the prompt point is not counted. @default 5 */
  maxInferencePoints?: number;
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
  const endIds = new Set(options.endIds ?? tokenizer.eosIds);
  checkSampling(sampling);
  const longest = Math.max(0, ...prompts.map((prompt) => prompt.length));
  if (prompts.length === 0 || prompts.some((prompt) => prompt.length === 0)) {
    throw new MemGenError({ code: 'generate-prompt', message: 'every prompt needs at least one token' });
  }

  const rows = prompts.map((prompt, index): RowState => {
    const text = new IncrementalDecoder(tokenizer);
    for (const id of prompt) text.push(id);
    return {
      index, text, ids: [], augmentations: [], finished: 'length', inferencePoints: 0, done: false,
      random: random.fork(`row ${index}`),
    }; // prettier-ignore
  });
  const batch = new GenerationBatch(decoder, rows.length, weaver);
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
      const decisions = active.map((row): Augmentation => (row.done ? -100 : decide(row, step)));
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
        options.onToken?.(row.index, id);
        if (!endIds.has(id)) return;
        row.done = true;
        row.finished = 'end';
      });
      const going = active.flatMap((row, b) => (row.done ? [] : [b]));
      if (going.length === 0) break;
      if (going.length <= active.length / 2) {
        batch.select(going);
        active = going.map((b) => active[b]!);
      }
      ids = active.map((row) => [row.ids.at(-1)!]);
      mask = active.map((row) => [row.done ? 0 : 1]);
    }
  } finally {
    batch.dispose();
  }
  return rows.map(({ ids, augmentations, finished }) => ({ ids, augmentations, finished }));

  function decide(row: RowState, step: number): Augmentation {
    if (weaver === undefined) return -100;
    if (step === 0) return 1;
    if (row.inferencePoints >= maxInferencePoints || !endsWithDelimiter(row.text.text)) return -100;
    row.inferencePoints++;
    return 1;
  }
}
