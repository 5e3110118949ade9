// Several optimizers as one: each steps the parameters it knows, at its own multiple of the learning rate.
import type { Optimizer } from './optimizer.js';

export interface OptimizerPart {
  optimizer: Optimizer;
  /** Multiplies the scheduled learning rate. @default 1 */
  rate?: number;
}

/** The parts must have disjoint parameters. */
export function combineOptimizers(parts: readonly OptimizerPart[]): Optimizer {
  return {
    step: (gradients, learningRate) => {
      for (const { optimizer, rate = 1 } of parts) optimizer.step(gradients, learningRate * rate);
    },
    exportState: async () => {
      const states = await Promise.all(parts.map(({ optimizer }) => optimizer.exportState()));
      return new Map(states.flatMap((state) => [...state]));
    },
    importState: (state) => {
      const owner = (key: string) => parts.find(({ optimizer }) => optimizer.knows(key.split('|')[0]!)) ?? parts[0];
      for (const part of parts) {
        // What nobody knows goes to the first part, which refuses it.
        part.optimizer.importState(new Map([...state].filter(([key]) => owner(key) === part)));
      }
    },
    knows: (name) => parts.some(({ optimizer }) => optimizer.knows(name)),
    dispose: () => {
      for (const { optimizer } of parts) optimizer.dispose();
    },
  };
}
