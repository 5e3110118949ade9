// Time is booked to the parts of a step, by trainers too.
import { startBackend } from '@memgen/core';
import { expect, it } from 'vitest';
import { frozenDecoder, tinyConfig, trainableDecoder } from '../../core/src/model/tiny-decoder.test-helper.js';
import { tinyWeaver } from '../../weaver/src/tiny-weaver.test-helper.js';
import { trainAdapter } from './adapter-sft.js';
import { trainDecoder } from './full-sft.js';
import { plainRows, tinyAdapter } from './sft-rows.test-helper.js';
import { StepTimer } from './step-timer.js';
import type { StepReport } from './training-loop.js';
import { trainWeaver } from './weaver-sft.js';

it('adds up the laps of a part', () => {
  let now = 5;
  const timer = new StepTimer(() => now);
  for (const [part, at] of [['forward', 7], ['backward', 10], ['forward', 11]] as const) {
    now = at;
    timer.lap(part);
  } // prettier-ignore
  expect(timer.times).toEqual({ forward: 3, backward: 3 });
});

it('books nothing without a clock', () => {
  const timer = new StepTimer();
  timer.lap('forward');
  expect(timer.times).toEqual({});
});

it('is told of the passes by every trainer', async () => {
  await startBackend({ backend: 'wasm' });
  const decoder = await frozenDecoder(tinyConfig({ num_hidden_layers: 1 }));
  const times: unknown[] = [];
  let now = 0;
  const options = {
    ...{ batchSize: 2, gradientAccumulation: 2, steps: 1 },
    clock: () => now++,
    onStep: (report: StepReport) => void times.push(report.times),
  };
  const adapter = tinyAdapter(decoder);
  const weaver = tinyWeaver(decoder);
  const trainable = trainableDecoder(tinyConfig({ num_hidden_layers: 1 }));
  await trainAdapter(decoder, adapter, plainRows, options);
  const woven = plainRows.map((row) => ({ ...row, points: [] }));
  await trainWeaver(decoder, weaver, woven, options);
  await trainDecoder(trainable, plainRows, options);
  // Two passes make a step.
  const step = { forward: 2, backward: 2, optimizer: 1 };
  expect(times).toEqual([step, step, step]);
  await trainAdapter(decoder, adapter, plainRows, { ...options, clock: undefined });
  expect(times.at(-1)).toBeUndefined();
  for (const part of [adapter, weaver, trainable, decoder]) part.dispose();
});
