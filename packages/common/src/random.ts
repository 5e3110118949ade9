// The one source of chance: a seeded generator that can be split by name, saved and restored.
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { MemGenError } from './errors.js';

/** Serialisable state of a {@link Random}; feeding it to {@link Random.fromState} continues the same stream. */
export interface RandomState {
  seed: number;
  generator: readonly number[];
}

/** FNV-1a, 32 bits: turns a label into a number to derive a seed from. */
function hashLabel(text: string, start: number): number {
  let hash = (0x811c9dc5 ^ start) >>> 0;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  // An avalanche, so that labels which differ in their last letter give unrelated seeds.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * A seeded stream of random numbers (xoroshiro128+). Streams made with {@link Random.fork} depend only on the seed and
 * the label, not on how much was drawn before, so the order of calls elsewhere never changes a result.
 */
export class Random {
  private constructor(
    private readonly seed: number,
    private readonly generator: RandomGenerator,
  ) {}

  /** @param seed - any integer; taken modulo 2^32. */
  static fromSeed(seed: number): Random {
    if (!Number.isInteger(seed)) {
      throw new MemGenError({ code: 'random-seed', message: 'a seed must be an integer', got: String(seed) });
    }
    return new Random(seed >>> 0, xoroshiro128plus(seed >>> 0));
  }

  static fromState(state: RandomState): Random {
    return new Random(state.seed, xoroshiro128plusFromState(state.generator));
  }

  state(): RandomState {
    return { seed: this.seed, generator: this.generator.getState() };
  }

  /** An independent stream named `label`. */
  fork(label: string): Random {
    return Random.fromSeed(hashLabel(label, this.seed));
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    return this.generator.next() >>> 0;
  }

  /** Uniform in [0, 1), 53 random bits. */
  float(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Uniform integer in [0, n). */
  int(n: number): number {
    return Math.floor(this.float() * n);
  }

  /** Standard normal (Box-Muller; one value per call, so that a saved state is complete). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new MemGenError({ code: 'random-pick', message: 'cannot pick from an empty list' });
    return items[this.int(items.length)]!;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  }

  /** `k` different items in random order. */
  sample<T>(items: readonly T[], k: number): T[] {
    if (k > items.length) {
      throw new MemGenError({
        code: 'random-sample',
        message: 'cannot sample more items than there are',
        got: `${k} of ${items.length}`,
      });
    }
    return this.shuffle(items).slice(0, k);
  }
}
