// Sessions run on made-up texts, and logits taken apart by rows.
import { Random } from '@memgen/common';
import { eager, type Execution, type Trigger, type TriggerSession } from '@memgen/core';
import { requireThat } from '@memgen/core/test';
import * as tf from '@tensorflow/tfjs';
import type { TriggerConformanceOptions } from './conformance-options.js';

/** Token ids of one batch row; undefined is padding. */
export type Row = readonly (number | undefined)[];

/** Runs a body with a new trigger, which is disposed also when the body fails. */
export async function withTrigger(
  { create }: Pick<TriggerConformanceOptions, 'create'>,
  body: (trigger: Trigger) => void | Promise<void>,
): Promise<void> {
  const trigger = await create();
  try {
    await body(trigger);
  } finally {
    trigger.dispose();
  }
}

/** Runs a body with a session for generation. */
export function withSession<T>(trigger: Trigger, batch: number, body: (session: TriggerSession) => T): T {
  const session = trigger.begin({ batch });
  try {
    return body(session);
  } finally {
    session.dispose();
  }
}

/** Random tokens. */
export function randomRow(length: number, vocabularySize: number, seed: number): number[] {
  const random = Random.fromSeed(seed);
  return Array.from({ length }, () => random.int(vocabularySize));
}

/** A row without tokens: padding alone. */
export function padding(columns: number): undefined[] {
  return Array.from({ length: columns }, () => undefined);
}

/** Ids (at padding some that must not matter) and mask, as `judge` takes them. */
export function toColumns(rows: readonly Row[], vocabularySize: number): { ids: number[][]; mask: number[][] } {
  return {
    ids: rows.map((row, b) => row.map((id, t) => id ?? randomRow(1, vocabularySize, 100 * b + t)[0]!)),
    mask: rows.map((row) => row.map((id) => (id === undefined ? 0 : 1))),
  };
}

/** One call of a session within a tidy, as generation makes it: two logits for each token, by rows; none at padding. */
export function judgeRows(session: TriggerSession, rows: readonly Row[], vocabularySize: number): number[][] {
  const columns = rows[0]!.length;
  const values = tf.tidy(() => {
    const { ids, mask } = toColumns(rows, vocabularySize);
    const logits = session.judge(ids, mask);
    requireShape(logits, rows.length * columns);
    return Float32Array.from(logits.dataSync<'float32'>());
  });
  return atTokens(values, rows);
}

/** Logits of all tokens of each row when it is read alone and at once. */
export function judgeAlone(trigger: Trigger, rows: readonly Row[], vocabularySize: number): number[][] {
  return rows.map((row) => {
    const tokens = row.filter((id) => id !== undefined);
    return withSession(trigger, 1, (session) => judgeRows(session, [tokens], vocabularySize)[0]!);
  });
}

export function requireShape(logits: tf.Tensor, places: number): void {
  requireThat(logits.dtype === 'float32' && logits.shape.join() === `${places},2`, {
    message: 'logits have the wrong shape',
    got: `${logits.dtype} [${logits.shape.join(', ')}]`,
    expected: `float32 [${places}, 2]`,
  });
}

/** Logits of the tokens of each row, without those of padding. */
export function atTokens(values: Float32Array, rows: readonly Row[]): number[][] {
  const columns = rows[0]!.length;
  return rows.map((row, b) =>
    row.flatMap((id, t) => {
      const place = 2 * (b * columns + t);
      return id === undefined ? [] : [values[place]!, values[place + 1]!];
    }),
  );
}

/** Logits as training computes them: everything at once, caches in parts, the session gone before the logits are used. */
export function judgeInTraining(
  trigger: Trigger,
  rows: readonly Row[],
  {
    execution = eager,
    vocabularySize,
    dropoutSeed,
  }: { execution?: Execution; vocabularySize: number; dropoutSeed?: number },
): tf.Tensor2D {
  const { ids, mask } = toColumns(rows, vocabularySize);
  const session = trigger.begin({
    batch: rows.length,
    execution,
    ownership: 'parts',
    ...(dropoutSeed !== undefined && { dropoutSeed }),
  });
  try {
    return session.judge(ids, mask);
  } finally {
    session.dispose();
  }
}
