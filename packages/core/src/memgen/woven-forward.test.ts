// The batched training forward against weaving each row by itself, without padding.
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyWeaver } from '../../../weaver/src/tiny-weaver.test-helper.js';
import { startBackend } from '../backend/index.js';
import type { Decoder } from '../model/decoder.js';
import { frozenDecoder, tinyConfig } from '../model/tiny-decoder.test-helper.js';
import { relativeDifference } from '../ops/operation-check.test-helper.js';
import { eager, Tape, type Execution } from '../training/index.js';
import type { Weaver } from './weaver.js';
import { wovenForward, type WovenRow } from './woven-forward.js';
import { variedRows, wovenRow } from './woven-rows.test-helper.js';

let reasoner: Decoder;
let other: Decoder;
let weavers: Weaver[];

beforeAll(async () => {
  await startBackend({ backend: 'wasm' });
  reasoner = await frozenDecoder(tinyConfig());
  other = await frozenDecoder(tinyConfig({ model_type: 'qwen3', hidden_size: 12, head_dim: 4 }), 2);
  weavers = [tinyWeaver(reasoner), tinyWeaver(other, { reasonerHidden: 16, promptLatents: 2, inferenceLatents: 4 })];
});
afterAll(() => {
  for (const weaver of weavers) weaver.dispose();
  other.dispose();
  reasoner.dispose();
});

/** The hidden state that predicts each token but the first, and the one after the last, by reading the woven sequence of one row from left to right. */
function predictorsByHand({ ids, points }: WovenRow, weaver: Weaver): Map<number, Float32Array> {
  const predictors = new Map<number, Float32Array>();
  tf.tidy(() => {
    const parts: tf.Tensor2D[] = [];
    const columnOf = new Map<number, number>();
    let column = 0;
    const readTokens = (from: number, to: number) => {
      if (to > from) parts.push(reasoner.embed(ids.slice(from, to)));
      for (let i = from; i < to; i++) columnOf.set(i, column++);
    };
    const session = weaver.begin({ batch: 1 });
    let from = 0;
    let read = 0;
    for (const { index, kind } of points) {
      readTokens(from, index);
      from = index;
      const fresh = tf.concat(parts.slice(read), 0);
      read = parts.length;
      parts.push(session.weave(kind, fresh, [Array.from({ length: fresh.shape[0] }, () => 1)]));
      column += weaver.latentCounts[kind];
    }
    readTokens(from, ids.length);
    session.dispose();
    const cache = reasoner.createCache(1);
    const mask = [Array.from({ length: column }, () => 1)];
    const hidden = reasoner.forward(tf.concat(parts, 0), mask, { cache }).dataSync();
    cache.dispose();
    const size = reasoner.config.hiddenSize;
    for (let i = 1; i <= ids.length; i++) {
      const at = (columnOf.get(i) ?? column) - 1;
      predictors.set(i, hidden.slice(at * size, (at + 1) * size) as Float32Array);
    }
  });
  return predictors;
}

function expectSamePredictors(rows: readonly WovenRow[], weaver: Weaver, execution: Execution): void {
  const size = reasoner.config.hiddenSize;
  tf.tidy(() => {
    const forward = wovenForward(reasoner, rows, { execution, weaver });
    const hidden = { prompt: forward.prompt.dataSync(), completion: forward.completion.dataSync() };
    rows.forEach((row, r) => {
      for (const [i, expected] of predictorsByHand(row, weaver)) {
        const { part, at } = forward.locate(r, i - 1);
        const got = hidden[part].slice(at * size, (at + 1) * size);
        expect(relativeDifference(got, expected), `row ${r}, token ${i}`).toBeLessThan(1e-4);
      }
    });
  });
}

describe('wovenForward', () => {
  it('gives each row of a batch the hidden states it has alone', () => {
    const before = tf.memory().numTensors;
    for (const weaver of weavers) expectSamePredictors(variedRows, weaver, eager);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives the same on a tape, which owns everything', () => {
    const before = tf.memory().numTensors;
    for (const checkpointing of [true, false]) {
      const tape = new Tape({ checkpointing });
      expectSamePredictors([...variedRows].reverse(), weavers[0]!, tape);
      tape.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('weaves at neighbouring places, at the last token and right behind a prompt of one token', () => {
    expectSamePredictors([wovenRow(7, 1, [2, 3, 4, 6], 1), wovenRow(3, 1, [2], 2)], weavers[0]!, eager);
  });

  it('needs no weaver for rows without points, and says so for others', () => {
    tf.tidy(() => {
      const plain = [wovenRow(5, 2, undefined, 1)];
      expect(wovenForward(reasoner, plain, { execution: eager }).completion.shape).toEqual([4, 16]);
      expect(() => wovenForward(reasoner, variedRows, { execution: eager })).toThrow(
        expect.objectContaining({ code: 'weaver-missing' }),
      );
    });
  });

  it('refuses a batch in which only some rows have a point behind the prompt', () => {
    const [first] = variedRows;
    const points = first!.points.map(({ index }) => ({ index, kind: 'inference' as const }));
    expect(() =>
      wovenForward(reasoner, [first!, { ...first!, points }], { execution: eager, weaver: weavers[0]! }),
    ).toThrow(expect.objectContaining({ code: 'woven-kinds' }) as Error);
  });

  it('refuses a row whose first label has no prompt before it', () => {
    const row = wovenRow(5, 1, undefined, 1);
    expect(() => tf.tidy(() => wovenForward(reasoner, [row], { execution: eager }).prompt)).toThrow(
      expect.objectContaining({ code: 'label-mask', got: 'the first label stands at 1' }),
    );
  });
});
