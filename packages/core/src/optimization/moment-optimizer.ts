// What optimizers with running tensors have in common: names of variables, saving, restoring, freeing.
import type * as tf from '@tensorflow/tfjs';
import { Moments } from './moments.js';
import type { Optimizer } from './optimizer.js';

/** Base of optimizers whose state is {@link Moments}. */
export abstract class MomentOptimizer implements Optimizer {
  protected readonly moments: Moments;
  protected readonly names: ReadonlyMap<tf.Variable, string>;

  protected constructor(parameters: ReadonlyMap<string, tf.Variable>, kinds: readonly string[]) {
    this.moments = new Moments(parameters, kinds);
    this.names = new Map([...parameters].map(([name, variable]) => [variable, name]));
  }

  abstract step(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, learningRate: number): void;

  exportState(): ReturnType<Optimizer['exportState']> {
    return this.moments.export();
  }

  importState(state: Parameters<Optimizer['importState']>[0]): void {
    this.moments.import(state);
  }

  knows(name: string): boolean {
    return this.moments.knows(name);
  }

  dispose(): void {
    this.moments.dispose();
  }
}
