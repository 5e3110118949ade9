// Watches a generation for a trace: measures its parts and looks at the latents.
import * as tf from '@tensorflow/tfjs';
import type { GeneratingModel } from './generating-model.js';
import type { GenerationRow } from './generation-row.js';
import { nearTokens } from './near-tokens.js';
import type { PartTimes, TracedLatent, TracedPoint } from './trace.js';
import type { WeavingDecision } from './weaving-decisions.js';

/** Follows the steps of one batch; used only when a trace is asked for. */
export class TraceRecorder {
  private step: PartTimes = noTime();
  private since = 0;
  /** By row as the batch read them. */
  private latents: (TracedLatent[] | undefined)[] = [];

  constructor(
    private readonly model: GeneratingModel,
    private readonly clock: (() => number) | undefined,
  ) {}

  beginStep(): void {
    this.step = noTime();
    this.latents = [];
    this.skip();
  }

  /** What was done since the last call counts for no part. */
  skip(): void {
    this.since = this.clock?.() ?? 0;
  }

  /** What was done since the last call was done by this part. */
  count(part: keyof PartTimes): void {
    if (this.clock === undefined) return;
    const now = this.clock();
    this.step[part] += now - this.since;
    this.since = now;
  }

  /**
   * Looks at latents as the weaver has made them.
   * @param vectors - `[rows * latents, hidden]`, borrowed.
   * @param woven - rows that get latents.
   */
  async lookAt(vectors: tf.Tensor2D, woven: readonly boolean[]): Promise<void> {
    // A backend may compute later: the weaver is at work until its results can be read.
    await vectors.data();
    this.count('weaver');
    const each = vectors.shape[0] / woven.length;
    const places = woven.flatMap((on, row) => (on ? Array.from({ length: each }, (_, i) => row * each + i) : []));
    const chosen = tf.tidy(() => tf.gather(vectors, tf.tensor1d(places, 'int32')));
    try {
      const lengths = tf.tidy(() => tf.norm(chosen, 'euclidean', 1));
      const norms = await lengths.data<'float32'>();
      lengths.dispose();
      const nearest = await nearTokens(this.model, chosen);
      const latents = nearest.map((tokens, i) => ({ norm: norms[i]!, nearest: tokens }));
      this.latents = woven.map((on) => (on ? latents.splice(0, each) : undefined));
    } finally {
      chosen.dispose();
    }
    this.skip();
  }

  /**
   * Notes this step in a row's trace, before the row chooses its next token.
   * @param read - index of the row as the batch read it.
   * @returns the point that the row stands at, if any.
   */
  follow(row: GenerationRow, read: number, decision: WeavingDecision): TracedPoint | undefined {
    const { augmentation, weaveProbability } = decision;
    const timed = this.clock !== undefined && { milliseconds: { ...this.step } };
    const point: TracedPoint | undefined =
      augmentation === -100
        ? undefined
        : {
            row: row.index,
            position: row.length,
            kind: row.length === 0 ? 'prompt' : 'inference',
            text: row.precedingText,
            woven: augmentation === 1,
            latents: this.latents[read] ?? [],
            ...(weaveProbability !== undefined && { weaveProbability }),
            ...timed,
          };
    row.trace(point, timed ? timed.milliseconds : undefined);
    return point;
  }
}

function noTime(): PartTimes {
  return { trigger: 0, weaver: 0, reasoner: 0 };
}
