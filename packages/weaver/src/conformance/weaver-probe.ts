// Sessions run on made-up columns, and latents taken apart by rows.
import { Random } from '@memgen/common';
import { type Execution, type LatentKind, type Weaver, type WeaverSession } from '@memgen/core';
import { requireThat } from '@memgen/core/test';
import * as tf from '@tensorflow/tfjs';
import type { WeaverConformanceOptions } from './conformance-options.js';

/** A vector of the reasoner. */
type Column = Float32Array;

/** Columns of one batch row; undefined is padding. */
export type Row = readonly (Column | undefined)[];

export const kinds = ['prompt', 'inference'] as const satisfies readonly LatentKind[];

/** Runs a body with a new weaver, which is disposed also when the body fails. */
export async function withWeaver(
  { create }: Pick<WeaverConformanceOptions, 'create'>,
  body: (weaver: Weaver) => void | Promise<void>,
): Promise<void> {
  const weaver = await create();
  try {
    await body(weaver);
  } finally {
    weaver.dispose();
  }
}

/** Runs a body with a session for generation. */
export function withSession<T>(weaver: Weaver, batch: number, body: (session: WeaverSession) => T): T {
  const session = weaver.begin({ batch });
  try {
    return body(session);
  } finally {
    session.dispose();
  }
}

/** A row of standard normal vectors. */
export function randomRow(columns: number, hidden: number, seed: number): Column[] {
  const random = Random.fromSeed(seed);
  return Array.from({ length: columns }, () => Float32Array.from({ length: hidden }, () => random.normal()));
}

/** A row without columns: padding alone. */
export function padding(columns: number): undefined[] {
  return Array.from({ length: columns }, () => undefined);
}

/** Vectors `[rows * columns, hidden]` (at padding something that must not matter) and their mask. */
export function toColumns(rows: readonly Row[], hidden: number): { vectors: tf.Tensor2D; mask: number[][] } {
  const columns = rows.flat();
  const values = new Float32Array(columns.length * hidden);
  columns.forEach((column, i) => {
    values.set(column ?? randomRow(1, hidden, 1000 + i)[0]!, i * hidden);
  });
  return {
    vectors: tf.tensor2d(values, [columns.length, hidden]),
    mask: rows.map((row) => row.map((column) => (column === undefined ? 0 : 1))),
  };
}

/** One call of a session within a tidy, as generation makes it; its latents by rows. */
export function weaveRows(
  session: WeaverSession,
  kind: LatentKind,
  rows: readonly Row[],
  { weaver, hidden }: { weaver: Weaver; hidden: number },
): Float32Array[] {
  const values = tf.tidy(() => {
    const { vectors, mask } = toColumns(rows, hidden);
    const latents = session.weave(kind, vectors, mask);
    requireShape(latents, [rows.length * weaver.latentCounts[kind], hidden]);
    return Float32Array.from(latents.dataSync<'float32'>());
  });
  return byRows(values, rows.length);
}

/** Latents of each row when it is read alone and at once. */
export function weaveAlone(weaver: Weaver, kind: LatentKind, rows: readonly Row[], hidden: number): Float32Array[] {
  return rows.map((row) =>
    withSession(weaver, 1, (session) => weaveRows(session, kind, [row.filter(isColumn)], { weaver, hidden })[0]!),
  );
}

function isColumn(column: Column | undefined): column is Column {
  return column !== undefined;
}

export function requireShape(latents: tf.Tensor, expected: readonly number[]): void {
  requireThat(latents.dtype === 'float32' && latents.shape.join() === expected.join(), {
    message: 'latents have the wrong shape',
    got: `${latents.dtype} [${latents.shape.join(', ')}]`,
    expected: `float32 [${expected.join(', ')}]`,
  });
}

export function byRows(values: Float32Array, rows: number): Float32Array[] {
  const size = values.length / rows;
  return Array.from({ length: rows }, (_, b) => values.slice(b * size, (b + 1) * size));
}

/** Latents of two calls as training makes them; the second reads those of the first, and one row less. */
export function weaveInTraining(
  weaver: Weaver,
  rows: readonly [Row, Row],
  { execution, hidden, dropoutSeed }: { execution: Execution; hidden: number; dropoutSeed?: number },
): [tf.Tensor2D, tf.Tensor2D] {
  const [long, short] = rows;
  const session = weaver.begin({
    batch: 2,
    execution,
    ownership: 'parts',
    ...(dropoutSeed !== undefined && { dropoutSeed }),
  });
  const start = 3;
  const read = [long.slice(0, start), [...padding(start - short.length), ...short]];
  const [first, rest] = execution.constants(() => [
    toColumns(read, hidden).vectors,
    toColumns([long.slice(start)], hidden).vectors,
  ]) as [tf.Tensor2D, tf.Tensor2D];
  const prompt = session.weave('prompt', first, toMask(read));
  const count = weaver.latentCounts.prompt;
  const [next] = execution.run(([latents]) => [tf.concat([tf.slice(latents!, 0, count), rest], 0)], [prompt]);
  const width = count + long.length - start;
  const inference = session.weave('inference', next as tf.Tensor2D, [Array.from({ length: width }, () => 1)]);
  session.dispose();
  return [prompt, inference];
}

function toMask(rows: readonly Row[]): number[][] {
  return rows.map((row) => row.map((column) => (column === undefined ? 0 : 1)));
}
