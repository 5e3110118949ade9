// Choosing the next token from logits.
import { MemGenError, type Random } from '@memgen/common';

export interface SamplingOptions {
  /** 0 is greedy. @default 0 */
  temperature?: number;
  /** Only the k most likely tokens; 0 is all. @default 0 */
  topK?: number;
  /** Only the smallest set of tokens whose probabilities add up to this. In (0, 1]. @default 1 */
  topP?: number;
}

/** @throws MemGenError `sampling` for a value out of range. */
export function checkSampling({ temperature = 0, topK = 0, topP = 1 }: SamplingOptions): void {
  const fail = (what: string, got: number, expected: string) => {
    throw new MemGenError({ code: 'sampling', message: `${what} is out of range`, got: String(got), expected });
  };
  if (!(temperature >= 0 && Number.isFinite(temperature))) fail('temperature', temperature, '0 (greedy) or more');
  if (!Number.isInteger(topK) || topK < 0) fail('topK', topK, 'a whole number, 0 for all tokens');
  if (!(topP > 0 && topP <= 1)) fail('topP', topP, 'more than 0, at most 1');
}

/** The most likely token; of equals, the first. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** Draws a token id from `softmax(logits / temperature)`, cut by top-k and top-p in that order. */
export function sampleToken(
  logits: Float32Array,
  { temperature = 0, topK = 0, topP = 1 }: SamplingOptions,
  random: Random,
): number {
  if (temperature === 0) return argmax(logits);
  const largest = logits[argmax(logits)]!;
  const weightOf = (id: number) => Math.exp((logits[id]! - largest) / temperature);
  let ids = Array.from(logits.keys());
  if ((topK > 0 && topK < ids.length) || topP < 1) {
    ids.sort((a, b) => logits[b]! - logits[a]! || a - b);
    if (topK > 0) ids = ids.slice(0, topK);
    if (topP < 1) {
      const total = ids.reduce((sum, id) => sum + weightOf(id), 0);
      let covered = 0;
      const end = ids.findIndex((id) => (covered += weightOf(id)) >= topP * total);
      if (end >= 0) ids = ids.slice(0, end + 1);
    }
  }
  const weights = ids.map(weightOf);
  let rest = random.float() * weights.reduce((sum, weight) => sum + weight, 0);
  const chosen = weights.findIndex((weight) => (rest -= weight) < 0);
  return ids[chosen < 0 ? ids.length - 1 : chosen]!;
}
