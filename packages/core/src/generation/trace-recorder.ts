// Watches a generation for a trace: measures its parts and looks at the latents.
import * as tf from '@tensorflow/tfjs';
import { packRows, type RowVectors } from '../inference/index.js';
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

  /** Looks at latents as the weaver has made them: by row `[latents, hidden]`, undefined for one that was not woven. */
  async lookAt(latents: RowVectors): Promise<void> {
    this.count('weaver');
    const { hiddenSize } = this.model.decoder.config;
    const all = packRows(latents);
    const vectors = tf.tensor2d(all.slice(), [all.length / hiddenSize, hiddenSize]);
    try {
      const nearest = await nearTokens(this.model, vectors);
      const looks = nearest.map((tokens, i) => ({
        norm: Math.hypot(...all.subarray(i * hiddenSize, (i + 1) * hiddenSize)),
        nearest: tokens,
      }));
      this.latents = latents.map((row) => row && looks.splice(0, row.length / hiddenSize));
    } finally {
      vectors.dispose();
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
