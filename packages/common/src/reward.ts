// How good completions are: reward functions, and how a failing one fails its row alone.
import { mapConcurrently } from './map-concurrently.js';

/** A completion with the row it answers. */
export interface RewardSample<Row> {
  row: Row;
  /** What the model wrote; of many turns, its own text of all turns joined by newlines. */
  completion: string;
}

export interface Reward {
  /** NaN if it could not be told. */
  value: number;
  /** Why there is no value, or what the value comes from. */
  reason?: string;
}

/** Scores completions, several at once. Trainers combine several by weights, and report each by its name. */
export interface RewardFunction<Row> {
  readonly name: string;
  /** One reward per sample, in their order. Fails as a whole only if aborted. */
  score(
    samples: readonly RewardSample<Row>[],
    options?: { signal?: AbortSignal },
  ): Promise<readonly Reward[]> | readonly Reward[];
}

export interface RewardPerSampleOptions<Row> {
  name: string;
  /** Of one sample: a number, or one with a reason. What it throws becomes NaN with the error's message. */
  score: (sample: RewardSample<Row>, options: { signal?: AbortSignal }) => Promise<number | Reward> | number | Reward;
  /** Samples scored at once. Default 8. */
  concurrency?: number;
}

/** Makes a reward function out of one that scores a single completion. */
export function rewardPerSample<Row>({
  name,
  score,
  concurrency = 8,
}: RewardPerSampleOptions<Row>): RewardFunction<Row> {
  return {
    name,
    score: (samples, { signal } = {}) =>
      mapConcurrently(samples, concurrency, async (sample) => {
        signal?.throwIfAborted();
        try {
          const reward = await score(sample, { signal });
          return typeof reward === 'number' ? { value: reward } : reward;
        } catch (error) {
          signal?.throwIfAborted();
          return { value: NaN, reason: error instanceof Error ? error.message : String(error) };
        }
      }),
  };
}
