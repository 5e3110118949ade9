// What is measured of each backend: the number formats it has for frozen weights.
import { loadReasoner, type BackendName, type Reasoner } from '@memgen/core';
import type { Dtype } from './frame/figure.js';

export interface Variant {
  backend: BackendName;
  dtype: Dtype;
}

/** A further precision of the products with frozen matrices, and the rows that it changes: new tokens do not use it. */
const bfloat16Rows = new Set(['load', 'prefill', 'training']);

/** What is measured: each backend in float32, TensorFlow's products in bfloat16 too. */
export function variantsOf(
  backends: readonly BackendName[],
  only: ReadonlySet<string>,
): (Variant & { only: string[] })[] {
  return backends.flatMap((backend) => [
    { backend, dtype: 'float32' as const, only: [...only] },
    ...(backend.startsWith('tensorflow')
      ? [{ backend, dtype: 'bfloat16' as const, only: [...only].filter((row) => bfloat16Rows.has(row)) }]
      : []),
  ]);
}

/** Loads the model on the backend, which has been started. */
export function loadVariant({ dtype, model }: Variant & { model: string }): Promise<Reasoner> {
  return loadReasoner(model, { matmulPrecision: dtype });
}

/** Roughly how long work takes compared to tensorflow, for the time left. */
export function relativeCost(backend: BackendName): number {
  if (backend === 'cpu') return 60;
  return backend.startsWith('tensorflow') ? 1 : 4;
}
