// Choosing the next token from logits.
import { MemGenError, type Random } from '@memgen/common';
import { kthLargest } from './kth-largest.js';

/** Defined and applied in the order of transformers: repetition penalty, temperature, top-k, top-p, min-p. */
export interface SamplingOptions {
  /** 0 is greedy. @default 0 */
  temperature?: number;
  /** Only the k most likely tokens, and those as likely as the last of them; 0 is all. @default 0 */
  topK?: number;
  /**
   * Only the smallest set of most likely tokens whose probabilities add up to this, and those as likely as the last of
   * them. In (0, 1]. @default 1
   */
  topP?: number;
  /** Only tokens at least this times as likely as the likeliest. In [0, 1]. @default 0 */
  minP?: number;
  /**
   * Divides positive logits, and multiplies negative ones, of the tokens that stand in the prompt or have been generated
   * (Keskar et al. 2019); also in greedy choice. Above 0; 1 changes nothing. @default 1
   */
  repetitionPenalty?: number;
}

/** @throws MemGenError `sampling` for a value out of range. */
export function checkSampling({
  temperature = 0,
  topK = 0,
  topP = 1,
  minP = 0,
  repetitionPenalty = 1,
}: SamplingOptions): void {
  const fail = (what: string, got: number, expected: string) => {
    throw new MemGenError({ code: 'sampling', message: `${what} is out of range`, got: String(got), expected });
  };
  if (!(temperature >= 0 && Number.isFinite(temperature))) fail('temperature', temperature, '0 (greedy) or more');
  if (!Number.isInteger(topK) || topK < 0) fail('topK', topK, 'a whole number, 0 for all tokens');
  if (!(topP > 0 && topP <= 1)) fail('topP', topP, 'more than 0, at most 1');
  if (!(minP >= 0 && minP <= 1)) fail('minP', minP, '0 to 1');
  if (!(repetitionPenalty > 0 && Number.isFinite(repetitionPenalty))) {
    fail('repetitionPenalty', repetitionPenalty, 'more than 0; 1 for none');
  }
}

/** The most likely token; of equals, the first. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  let largest = logits[0]!;
  for (let i = 1; i < logits.length; i++) {
    const logit = logits[i]!;
    if (logit > largest) {
      largest = logit;
      best = i;
    }
  }
  return best;
}

const nothing: ReadonlySet<number> = new Set();

/**
 * Chooses a token id; draws one number from `random` unless the choice is greedy. Linear in the vocabulary.
 * @param logits - `[vocabulary]`, left as they are.
 * @param seen - tokens of the prompt and the completion, for the repetition penalty.
 * @throws MemGenError `logits` when they are not numbers.
 */
export function sampleToken(
  logits: Float32Array,
  { temperature = 0, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 }: SamplingOptions,
  random: Random,
  seen: ReadonlySet<number> = nothing,
): number {
  const scores = repetitionPenalty === 1 ? logits : penalize(logits, seen, repetitionPenalty);
  const best = argmax(scores);
  const largest = scores[best]!;
  if (!Number.isFinite(largest)) throw noNumbers(largest);
  if (temperature === 0) return best;
  let least = topK > 0 && topK < scores.length ? kthLargest(scores, topK) : -Infinity;
  if (topP < 1) least = nucleus(scores, { least, largest, temperature, topP });
  if (minP > 0) least = Math.max(least, largest + temperature * Math.log(minP));
  return draw(scores, { least, largest, temperature }, random.float());
}

function penalize(logits: Float32Array, seen: ReadonlySet<number>, penalty: number): Float32Array {
  const scores = logits.slice();
  for (const id of seen) scores[id] = scores[id]! < 0 ? scores[id]! * penalty : scores[id]! / penalty;
  return scores;
}

/** A softmax over the scores from `least` on. */
interface Softmax {
  least: number;
  largest: number;
  temperature: number;
}

/** Groups of scores, from the largest down, and how far down they reach: exp(-40) is nothing beside 1. */
const groups = 256;
const reach = 40;

/** The smallest score of the nucleus: the most likely tokens whose probabilities add up to `topP`. */
function nucleus(scores: Float32Array, { least, largest, temperature, topP }: Softmax & { topP: number }): number {
  const weightOf = (score: number) => Math.exp((score - largest) / temperature);
  let smallest = largest;
  for (const score of scores) if (score >= least && score < smallest) smallest = score;
  const span = Math.min(largest - smallest, reach * temperature);
  if (span === 0) return smallest;
  const groupOf = (score: number) => Math.min(groups - 1, Math.floor(((largest - score) / span) * groups));
  const weights = new Float64Array(groups);
  const counts = new Int32Array(groups);
  for (const score of scores) {
    if (score < least) continue;
    const group = groupOf(score);
    weights[group]! += weightOf(score);
    counts[group]!++;
  }
  let total = 0;
  for (const weight of weights) total += weight;
  const wanted = topP * total;
  let covered = 0;
  let group = 0;
  while (group < groups - 1 && covered + weights[group]! < wanted) covered += weights[group++]!;
  // Only the group in which the sum is reached has to be sorted.
  const candidates = new Float32Array(counts[group]!);
  let next = 0;
  for (const score of scores) if (score >= least && groupOf(score) === group) candidates[next++] = score;
  candidates.sort();
  for (let i = candidates.length - 1; i >= 0; i--) {
    covered += weightOf(candidates[i]!);
    if (covered >= wanted) return candidates[i]!;
  }
  return candidates[0] ?? least;
}

/** Scores whose weights are added up at a time, so that no array of weights is needed. */
const blockSize = 256;

/** The token at which the summed probabilities, in the order of ids, exceed `share`. */
function draw(scores: Float32Array, { least, largest, temperature }: Softmax, share: number): number {
  const weightOf = (score: number) => (score < least ? 0 : Math.exp((score - largest) / temperature));
  const blocks = new Float64Array(Math.ceil(scores.length / blockSize));
  let total = 0;
  for (let b = 0; b < blocks.length; b++) {
    let sum = 0;
    const end = Math.min(scores.length, (b + 1) * blockSize);
    for (let i = b * blockSize; i < end; i++) sum += weightOf(scores[i]!);
    blocks[b] = sum;
    total += sum;
  }
  if (!(total > 0)) throw noNumbers(total);
  let rest = share * total;
  for (let b = 0; b < blocks.length; b++) {
    if (rest >= blocks[b]!) {
      rest -= blocks[b]!;
      continue;
    }
    const end = Math.min(scores.length, (b + 1) * blockSize);
    for (let i = b * blockSize; i < end; i++) {
      rest -= weightOf(scores[i]!);
      if (rest < 0) return i;
    }
  }
  // Rounding has left a little: the sum ends with the last token that has any weight.
  let last = scores.length - 1;
  while (weightOf(scores[last]!) === 0) last--;
  return last;
}

function noNumbers(got: number): MemGenError {
  return new MemGenError({
    code: 'logits',
    message: 'no token can be chosen: the logits of the model are not numbers',
    got: String(got),
    expected: 'finite numbers',
    hint: 'check the weights of the model and of the adapter; after training, look at the loss',
  });
}
