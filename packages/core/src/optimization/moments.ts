// Per-parameter running tensors of an optimizer, with their saving and restoring.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';

export type SavedState = Map<string, { shape: number[]; data: Float32Array }>;

/** Zero-initialised tensors by parameter and kind, plus a count of updates per parameter. */
export class Moments {
  private readonly tensors = new Map<string, tf.Variable>();
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly parameters: ReadonlyMap<string, tf.Variable>,
    private readonly kinds: readonly string[],
  ) {}

  knows(name: string): boolean {
    return this.parameters.has(name);
  }

  /** The tensor of a kind for a parameter, made when first asked for. */
  get(name: string, kind: string): tf.Variable {
    const key = `${name}|${kind}`;
    const known = this.tensors.get(key);
    if (known !== undefined) return known;
    const made = tf.tidy(() => tf.variable(tf.zerosLike(this.parameters.get(name)!), false));
    this.tensors.set(key, made);
    return made;
  }

  /** Counts one more update of the parameter and returns how many there were. */
  count(name: string): number {
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    return count;
  }

  async export(): Promise<SavedState> {
    const state: SavedState = new Map();
    for (const [key, tensor] of this.tensors) {
      state.set(key, { shape: [...tensor.shape], data: Float32Array.from(await tensor.data()) });
    }
    for (const [name, count] of this.counts) {
      state.set(`${name}|count`, { shape: [1], data: Float32Array.of(count) });
    }
    return state;
  }

  /** @throws MemGenError `optimizer-state` for a tensor of an unknown parameter or of the wrong shape. */
  import(state: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>): void {
    for (const [key, { shape, data }] of state) {
      const [name, kind] = key.split('|') as [string, string];
      const parameter = this.parameters.get(name);
      if (parameter !== undefined && kind === 'count') {
        this.counts.set(name, data[0]!);
        continue;
      }
      if (parameter === undefined || !this.kinds.includes(kind) || shape.join() !== parameter.shape.join()) {
        throw new MemGenError({
          code: 'optimizer-state',
          where: key,
          message: 'the saved optimizer state does not belong to these parameters',
          got: `[${shape.join(', ')}]`,
          expected: parameter === undefined ? 'a known parameter' : `[${parameter.shape.join(', ')}]`,
        });
      }
      tf.tidy(() => {
        this.get(name, kind).assign(tf.tensor(data, parameter.shape));
      });
    }
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }
}
