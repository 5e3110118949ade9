// Prompts, new tokens and the cache: what a process that answers does.
import { estimateMemory, generate, startBackend, StepDecoder, streamGenerate, type Reasoner } from '@memgen/core';
import * as tf from '@tensorflow/tfjs';
import type { Reporter } from '../frame/reporter.js';
import { repeated, seconds } from '../frame/measure.js';
import type { JobSettings } from '../frame/suite.js';
import { prompts } from '../prompt.js';
import { loadVariant, type Variant } from '../variants.js';
import { casesOf, type DecodingCase } from './cases.js';
import { decodingBytes, prefillOperations } from './least-work.js';

/** Times do not depend on what is written: the tiny model, whose context is short, is measured at the same lengths. */
const anyLength = { contextLength: Infinity };

export async function run(settings: JobSettings, reporter: Reporter): Promise<void> {
  const { backend, dtype, model, quick, only } = settings;
  await startBackend({ backend });
  const reasoner = await loadVariant({ backend, dtype, model });
  const cases = casesOf(quick);
  const facts = { backend, dtype };
  if (only.includes('prefill')) {
    for (const tokens of cases.prefill) await measurePrefill(reasoner, tokens, cases.repetitions, facts, reporter);
  }
  if (!only.includes('decode') && !only.includes('cache')) return;
  const began = performance.now();
  const stepDecoder = await StepDecoder.create(reasoner.decoder);
  const { weights, cachePerToken } = estimateMemory(reasoner.decoder.config);
  // Copies may be bfloat16; matrices that it borrows from the backend take no memory of its own and are float32.
  const weightBytes = stepDecoder.memoryBytes > weights / 4 ? Math.min(stepDecoder.memoryBytes, weights) : weights;
  reporter.figure({ ...facts, measure: 'prepare', unit: 's', samples: [(performance.now() - began) / 1000] });
  if (only.includes('cache')) {
    await reporter.attempt('memory of the cache', () =>
      weighCaches(reasoner, stepDecoder, cases.cache, (figure) => {
        reporter.figure({ ...facts, ...figure });
      }),
    );
  }
  stepDecoder.dispose();
  if (!only.includes('decode')) return;
  // The first generation makes a step decoder of its own.
  await generate(reasoner, prompts(reasoner, 1, 32), { maxNewTokens: 4, endIds: [] });
  for (const decoding of cases.decoding) {
    await reporter.attempt(`decoding, batch ${decoding.batch}, after ${decoding.after} tokens`, async () => {
      const repetitions = decoding.heavy ? 1 : cases.repetitions;
      const runs: { whole: number; newTokens: number }[] = [];
      for (let i = 0; i < repetitions; i++) runs.push(await decode(reasoner, decoding));
      const { batch, after, tokens } = decoding;
      const sizes = { batch, after, tokens };
      const bytes = decodingBytes({
        batch,
        columns: after + tokens / 2,
        weightBytes,
        cacheBytes: cachePerToken,
      });
      const unit = 'tokens/s';
      const newTokens = runs.map((run) => run.newTokens);
      reporter.figure({
        ...facts,
        measure: 'decode',
        sizes,
        unit,
        samples: newTokens,
        least: { bytes, amount: batch },
      });
      reporter.figure({ ...facts, measure: 'generate', sizes, unit, samples: runs.map(({ whole }) => whole) });
    });
  }
}

async function measurePrefill(
  reasoner: Reasoner,
  tokens: number,
  repetitions: number,
  facts: Variant,
  reporter: Reporter,
): Promise<void> {
  await reporter.attempt(`prefill, ${tokens} tokens`, async () => {
    const prompt = prompts(reasoner, 1, tokens);
    const samples = await repeated(repetitions, async () => {
      return tokens / (await seconds(() => generate(reasoner, prompt, { maxNewTokens: 1, endIds: [], ...anyLength })));
    });
    const { config } = reasoner.decoder;
    const least = {
      operations: prefillOperations(config, tokens),
      bytes: estimateMemory(config).weights,
      amount: tokens,
    };
    reporter.figure({ ...facts, measure: 'prefill', sizes: { tokens }, unit: 'tokens/s', samples, least });
  });
}

/** @returns tokens per second with the reading of the prompts, and without. */
async function decode(
  reasoner: Reasoner,
  { batch, after, tokens }: DecodingCase,
): Promise<{ whole: number; newTokens: number }> {
  const steps: number[] = [];
  const options = { maxNewTokens: tokens, endIds: [], ...anyLength };
  const began = performance.now();
  for await (const { row } of streamGenerate(reasoner, prompts(reasoner, batch, after), options)) {
    if (row === 0) steps.push(performance.now());
  }
  const whole = (1000 * batch * tokens) / (performance.now() - began);
  return { whole, newTokens: (1000 * batch * (tokens - 1)) / (steps.at(-1)! - steps[0]!) };
}

/** Bytes of the cache of one row at several lengths: on the backend, and where it is kept in decoding. */
async function weighCaches(
  { decoder, tokenizer }: Reasoner,
  stepDecoder: StepDecoder,
  lengths: readonly number[],
  report: (figure: { measure: string; sizes: { tokens: number }; unit: string; samples: number[] }) => void,
): Promise<void> {
  for (const tokens of lengths) {
    const [ids] = prompts({ tokenizer }, 1, tokens) as [number[]];
    const before = tf.memory().numBytes;
    const cache = decoder.createCache(1);
    tf.tidy(() => {
      decoder.forward(decoder.embed(ids), [ids.map(() => 1)], { cache });
    });
    const sizes = { tokens };
    report({ measure: 'cache-bytes', sizes, unit: 'bytes', samples: [tf.memory().numBytes - before] });
    const stepBefore = stepDecoder.memoryBytes;
    const imported = await stepDecoder.importCache(cache);
    report({ measure: 'step-cache-bytes', sizes, unit: 'bytes', samples: [stepDecoder.memoryBytes - stepBefore] });
    imported.dispose();
    cache.dispose();
  }
}
