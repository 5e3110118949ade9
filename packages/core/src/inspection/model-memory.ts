// What memory a model takes, loaded and in training, for telling.
import type { DecoderConfig } from '../model/decoder-config.js';
import { estimateMemory, type MemoryEstimate } from '../reasoner/memory-estimate.js';
import { estimateTrainingMemory } from '../reasoner/training-memory.js';
import { memoryByBackend, type BackendMemory } from './backend-memory.js';

export interface ModelMemory {
  estimate: MemoryEstimate;
  backends: BackendMemory[];
  /** The example that {@link trainingTotal} and {@link trainingTotalKept} are for. */
  trainingRows: number;
  trainingTokens: number;
  /** Bytes that training a weaver needs on top, layers recomputed. */
  trainingTotal: number;
  /** The same with activations kept. */
  trainingTotalKept: number;
}

/** The example for training: four rows, half of each the prompt; the reference's settings for the rest. */
export function describeMemory(config: DecoderConfig): ModelMemory {
  const estimate = estimateMemory(config);
  const [rows, tokens] = [4, 256];
  const sizes = { rows, promptTokens: tokens / 2, completionTokens: tokens / 2 };
  const total = (gradientCheckpointing: boolean): number =>
    estimateTrainingMemory(config, { ...sizes, gradientCheckpointing }).total;
  return {
    estimate,
    backends: memoryByBackend(estimate),
    trainingRows: rows,
    trainingTokens: tokens,
    trainingTotal: total(true),
    trainingTotalKept: total(false),
  };
}
