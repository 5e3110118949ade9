// The one loop of all generation: tokens of a batch, step by step.
import { padLeft } from '../text/left-pad.js';
import { checkGenerateOptions, type GenerateOptions } from './generate-options.js';
import type { GeneratedRow, GeneratedToken } from './generated-row.js';
import type { GeneratingModel } from './generating-model.js';
import { GenerationBatch, repeatEach } from './generation-batch.js';
import { GenerationRow } from './generation-row.js';
import { stepDecoderOf } from './step-decoders.js';
import { TraceRecorder } from './trace-recorder.js';
import { WeavingDecisions, type WeavingDecision } from './weaving-decisions.js';

/**
 * Continues prompts token by token; returns the rows at the end. Rows end by themselves; when half of a batch has ended,
 * the rest goes on in a smaller one. Closing the generator frees everything it holds.
 */
export async function* tokenLoop(
  model: GeneratingModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedToken, GeneratedRow[], undefined> {
  checkGenerateOptions(prompts, options);
  const { decoder, tokenizer } = model;
  const {
    maxNewTokens,
    samplesPerPrompt = 1,
    prefillChunk = 512,
    weaver,
    trigger,
    adapter,
    decoding = 'auto',
    trace = false,
    clock,
    signal,
  } = options;
  const rows = repeatEach(prompts.length, samplesPerPrompt).map(
    (prompt, index) => new GenerationRow(index, prompts[prompt]!, tokenizer, options),
  );
  const stepDecoder = (size: number) => stepDecoderOf(decoder, decoding, size);
  const weaving = new WeavingDecisions(prompts, tokenizer.padId, options);
  const recorder = trace ? new TraceRecorder(model, clock) : undefined;
  let batch: GenerationBatch | undefined;
  let active = rows;
  try {
    for (let step = 0; step < maxNewTokens; step++) {
      // Lets timers and signals through: with the backends that compute synchronously nothing else here waits.
      if (signal !== undefined) await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted === true) {
        for (const row of rows) row.abort();
        break;
      }
      recorder?.beginStep();
      const decisions = await weaving.decide(active);
      if (trigger !== undefined) recorder?.count('trigger');
      const weave = decisions.map(({ augmentation }) => augmentation === 1);
      // Neighbouring rows that have the same logits, because they share what was read.
      let sharing = 1;
      let logits: Float32Array;
      if (batch === undefined) {
        sharing = agree(decisions, samplesPerPrompt) ? samplesPerPrompt : 1;
        const read = active.flatMap((_, b) => (b % sharing === 0 ? [b] : []));
        const readPrompts = read.map((b) => active[b]!.prompt);
        const { ids, attentionMask } = padLeft(readPrompts, 0);
        const settings = { weaver, adapter, chunk: prefillChunk, stepDecoder, recorder };
        batch = new GenerationBatch(decoder, read.length, settings);
        const readWeave = read.map((b) => weave[b]!);
        logits = await batch.read(ids, attentionMask, 'prompt', readWeave);
        await batch.repeat(sharing);
        if (samplesPerPrompt > 1) weaving.select(repeatEach(prompts.length, samplesPerPrompt));
      } else {
        const ids = active.map((row) => [row.lastId]);
        const mask = active.map((row) => [row.isDone ? 0 : 1]);
        logits = await batch.read(ids, mask, 'inference', weave);
      }
      const width = (logits.length * sharing) / active.length;
      const rowLogits = active.map((_, b) => {
        const start = Math.floor(b / sharing) * width;
        return logits.subarray(start, start + width);
      });
      if (options._onLogits !== undefined) {
        const indices = active.map(({ index }) => index);
        options._onLogits(step, indices, sharing === 1 ? logits : joined(rowLogits));
      }
      const tokens = active.flatMap((row, b) => {
        if (row.isDone) return [];
        const point = recorder?.follow(row, Math.floor(b / sharing), decisions[b]!);
        const token = row.choose(rowLogits[b]!, decisions[b]!.augmentation);
        weaving.push(b, token.id);
        return [point === undefined ? token : { ...token, point }];
      });
      yield* tokens;
      const going = active.flatMap((row, b) => (row.isDone ? [] : [b]));
      if (going.length === 0) break;
      if (going.length <= active.length / 2) {
        batch.select(going);
        weaving.select(going);
        active = going.map((b) => active[b]!);
      }
    }
  } finally {
    batch?.dispose();
    weaving.dispose();
  }
  return rows.map((row) => row.result());
}

/** Whether the rows of each prompt are all woven, or all not. */
function agree(decisions: readonly WeavingDecision[], samplesPerPrompt: number): boolean {
  return decisions.every(
    (decision, b) => decision.augmentation === decisions[b - (b % samplesPerPrompt)]!.augmentation,
  );
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}
