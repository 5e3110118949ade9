// The training forward pass: weave latents at every point of every row, then run the frozen reasoner once.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import type { Decoder } from '../model/decoder.js';
import { runOne, type Execution } from '../training/execution.js';
import { ignoredLabel } from '../text/encode-conversation.js';
import { type AugmentationPoint, type LabelledSequence } from './augmentation-points.js';
import type { LatentKind, Weaver } from './weaver.js';

/** A sequence and where latents go in; no points means the reasoner alone. */
export interface WovenRow extends LabelledSequence {
  points: readonly AugmentationPoint[];
}

export interface WovenForwardOptions {
  execution: Execution;
  /** Needed when a row has points. */
  weaver?: Weaver | undefined;
  dropoutSeed?: number;
}

/** Final hidden states of the reasoner; the prompt's part carries no gradient. */
export interface WovenForwardResult {
  /** `[rows * promptWidth, hidden]`: everything before the first place whose logit counts. */
  prompt: tf.Tensor2D;
  /** `[rows * width, hidden]`: latents and tokens from there on. */
  completion: tf.Tensor2D;
  /**
   * Which hidden state predicts token `index + 1` of row `row`: at a point that is the last latent's, so that what remains
   * aligns with the tokens.
   */
  locate(row: number, index: number): { part: 'prompt' | 'completion'; at: number };
}

/** An item of a row's woven sequence: a run of tokens, or the latents of one point. */
type Item = { tokens: [from: number, to: number] } | { latents: number };

/**
 * Rows may have any length and their own points. The weaver reads each row's tokens and latents once: call j gets what
 * stands between points j-1 and j. The reasoner reads prompts (padded on the left) and then latents and completions
 * (padded on the right); its prompt pass is outside every gradient.
 * @throws MemGenError `weaver-missing`, `label-mask` for a row without a prompt, `woven-kinds` when only some rows have a
 *   point behind the prompt.
 */
export function wovenForward(
  reasoner: Decoder,
  rows: readonly WovenRow[],
  { execution, weaver, dropoutSeed }: WovenForwardOptions,
): WovenForwardResult {
  // Rows with more points come first, so that later calls of the weaver concern a leading part of the batch.
  const order = rows.map((_, i) => i).sort((a, b) => rows[b]!.points.length - rows[a]!.points.length || a - b);
  const sorted = order.map((i) => rows[i]!);
  const starts = sorted.map(promptLength);
  const embeddings = execution.constants(() => sorted.map((row) => reasoner.embed(row.ids)));

  const latents = weaveAll(sorted, embeddings, { execution, weaver, dropoutSeed });

  const promptWidth = Math.max(...starts);
  const prompts = execution.constants(() => [
    tf.concat(
      sorted.map((_, b) => paddedRow([tokenRows(embeddings[b]!, 0, starts[b]!)], promptWidth, 'left')),
      0,
    ),
  ])[0] as tf.Tensor2D;
  const cache = reasoner.createCache(rows.length, 'parts');
  const promptMask = starts.map((length) => leftPadded(length, promptWidth));
  const prompt = reasoner.forward(prompts, promptMask, { cache, execution });

  const counts = latents.map((tensor, j) => tensor.shape[0] / sorted.filter((row) => row.points.length > j).length);
  const items = sorted.map((row, b) => completionItems(row, starts[b]!));
  const lengths = items.map((list) => list.reduce((sum, item) => sum + itemLength(item, counts), 0));
  const width = Math.max(...lengths);
  const woven = runOne(
    execution,
    (latents) =>
      tf.concat(
        items.map((list, b) => {
          const parts = list.map((item) =>
            'tokens' in item
              ? tokenRows(embeddings[b]!, ...item.tokens)
              : tokenRows(
                  latents[item.latents] as tf.Tensor2D,
                  b * counts[item.latents]!,
                  (b + 1) * counts[item.latents]!,
                ),
          );
          return paddedRow(parts, width, 'right');
        }),
        0,
      ) as tf.Tensor2D,
    latents,
  );
  const completionMask = lengths.map((length) => Array.from({ length: width }, (_, t) => (t < length ? 1 : 0)));
  const completion = reasoner.forward(woven, completionMask, { cache, execution });

  const columns = items.map((list) => tokenColumns(list, counts));
  const place = new Map(order.map((row, b) => [row, b]));
  return {
    prompt,
    completion,
    locate(row, index) {
      const b = place.get(row)!;
      if (index + 1 < starts[b]!) return { part: 'prompt', at: b * promptWidth + promptWidth - starts[b]! + index };
      const next = columns[b]!.get(index + 1);
      if (next === 0) return { part: 'prompt', at: (b + 1) * promptWidth - 1 };
      return { part: 'completion', at: b * width + (next ?? lengths[b]!) - 1 };
    },
  };
}

/** All calls of the weaver, in order; each result `[rows with that point * K, hidden]`. */
function weaveAll(
  rows: readonly WovenRow[],
  embeddings: readonly tf.Tensor[],
  { execution, weaver, dropoutSeed }: WovenForwardOptions,
): tf.Tensor2D[] {
  const calls = Math.max(...rows.map((row) => row.points.length));
  if (calls === 0) return [];
  if (weaver === undefined) {
    throw new MemGenError({ code: 'weaver-missing', message: 'rows have augmentation points but no weaver was given' });
  }
  const session = weaver.begin({
    batch: rows.length,
    execution,
    ownership: 'parts',
    ...(dropoutSeed !== undefined && { dropoutSeed }),
  });
  const latents: tf.Tensor2D[] = [];
  for (let call = 0; call < calls; call++) {
    const active = rows.filter((row) => row.points.length > call);
    const previous = latents.at(-1);
    const { kind } = active[0]!.points[call]!;
    requireKind(active, call, kind);
    const previousCount = previous === undefined ? 0 : weaver.latentCounts[active[0]!.points[call - 1]!.kind];
    const spans = active.map((row): [number, number] => [
      call === 0 ? 0 : row.points[call - 1]!.index,
      row.points[call]!.index,
    ]);
    const width = Math.max(...spans.map(([from, to]) => previousCount + to - from));
    const side = call === 0 ? 'left' : 'right';
    const mask = spans.map(([from, to]) => {
      const length = previousCount + to - from;
      return side === 'left'
        ? leftPadded(length, width)
        : Array.from({ length: width }, (_, t) => (t < length ? 1 : 0));
    });
    const input = runOne(
      execution,
      ([previous]) =>
        tf.concat(
          spans.map(([from, to], b) => {
            const tokens = tokenRows(embeddings[b] as tf.Tensor2D, from, to);
            if (previous === undefined) return paddedRow([tokens], width, side);
            const own = tokenRows(previous as tf.Tensor2D, b * previousCount, (b + 1) * previousCount);
            return paddedRow([own, tokens], width, side);
          }),
          0,
        ) as tf.Tensor2D,
      previous === undefined ? [] : [previous],
    );
    latents.push(session.weave(kind, input, mask));
  }
  session.dispose();
  return latents;
}

/** The rows of a call are woven together, with the same queries. */
function requireKind(rows: readonly WovenRow[], call: number, kind: LatentKind): void {
  const other = rows.find((row) => row.points[call]!.kind !== kind);
  if (other === undefined) return;
  throw new MemGenError({
    code: 'woven-kinds',
    message: 'rows of a batch begin alike: all with a point behind the prompt, or none',
    got: `point ${call + 1} of one row is of the kind "${kind}", of another "${other.points[call]!.kind}"`,
    hint: 'read the rows whose prompts were not woven in a batch of their own',
  });
}

/** Tokens before the first place whose logit counts: all before the prompt's latents, or all but one without them. */
function promptLength(row: WovenRow): number {
  const first = row.points[0]?.index ?? row.labels.findIndex((label) => label !== ignoredLabel) - 1;
  if (first < 1) {
    throw new MemGenError({
      code: 'label-mask',
      message: 'a sequence needs at least two tokens of prompt before its first label',
      got: `the first label stands at ${first + 1}`,
    });
  }
  return first;
}

function completionItems(row: WovenRow, start: number): Item[] {
  const items: Item[] = [];
  let from = start;
  row.points.forEach((point, j) => {
    if (point.index > from) items.push({ tokens: [from, point.index] });
    items.push({ latents: j });
    from = point.index;
  });
  if (row.ids.length > from) items.push({ tokens: [from, row.ids.length] });
  return items;
}

function itemLength(item: Item, counts: readonly number[]): number {
  return 'tokens' in item ? item.tokens[1] - item.tokens[0] : counts[item.latents]!;
}

/** Column of each token of the completion. */
function tokenColumns(items: readonly Item[], counts: readonly number[]): Map<number, number> {
  const columns = new Map<number, number>();
  let column = 0;
  for (const item of items) {
    if ('tokens' in item) for (let i = item.tokens[0]; i < item.tokens[1]; i++) columns.set(i, column++);
    else column += itemLength(item, counts);
  }
  return columns;
}

function leftPadded(length: number, width: number): number[] {
  return Array.from({ length: width }, (_, t) => (t >= width - length ? 1 : 0));
}

/** Rows `from ... to` of a matrix. */
function tokenRows(x: tf.Tensor, from: number, to: number): tf.Tensor2D {
  return tf.slice(x as tf.Tensor2D, [from, 0], [to - from, x.shape[1]!]);
}

function paddedRow(parts: readonly tf.Tensor2D[], width: number, side: 'left' | 'right'): tf.Tensor2D {
  const row = parts.length === 1 ? parts[0]! : tf.concat([...parts], 0);
  const missing = width - row.shape[0];
  if (missing === 0) return row;
  return tf.pad(row, [side === 'left' ? [missing, 0] : [0, missing], [0, 0]]);
}
