// The one loop of all generation: tokens of a batch, step by step.
import { checkGenerateOptions, type GenerateOptions } from './generate-options.js';
import type { GeneratedRow, GeneratedToken } from './generated-row.js';
import type { GeneratingModel } from './generating-model.js';
import { joinVectors, repeatEach } from '../inference/index.js';
import { contextLength } from '../model/context-length.js';
import { GenerationBatch } from './generation-batch.js';
import { GenerationRow } from './generation-row.js';
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
  const { decoder, tokenizer } = model;
  const { contextLength: positions = contextLength(decoder.config) } = options;
  checkGenerateOptions(prompts, { ...options, contextLength: positions });
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
    (prompt, index) => new GenerationRow(index, prompts[prompt]!, tokenizer, options, positions),
  );
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
      let logits: (Float32Array | undefined)[];
      if (batch === undefined) {
        sharing = agree(decisions, samplesPerPrompt) ? samplesPerPrompt : 1;
        const read = active.flatMap((_, b) => (b % sharing === 0 ? [b] : []));
        const settings = { weaver, adapter, chunk: prefillChunk, decoding, recorder };
        batch = new GenerationBatch(decoder, read.length, settings);
        const readPrompts = read.map((b) => active[b]!.prompt);
        const readWeave = read.map((b) => weave[b]!);
        logits = await batch.read(readPrompts, 'prompt', readWeave);
        await batch.repeat(sharing);
        if (samplesPerPrompt > 1) weaving.select(repeatEach(prompts.length, samplesPerPrompt));
      } else {
        const ids = active.map((row) => (row.isDone ? [] : [row.lastId]));
        logits = await batch.read(ids, 'inference', weave);
      }
      const rowLogits = active.map((_, b) => logits[Math.floor(b / sharing)]);
      if (options._onLogits !== undefined) {
        const going = active.flatMap(({ index, isDone }, b) => (isDone ? [] : [{ index, logits: rowLogits[b]! }]));
        const indices = going.map(({ index }) => index);
        options._onLogits(step, indices, joinVectors(going.map(({ logits }) => logits)));
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
