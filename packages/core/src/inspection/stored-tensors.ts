// The tensors of weight files: plain descriptions, and sums by type.
import { openSafetensors, openWeights, type TensorInfo, type WeightFormat } from '../formats/index.js';

/** Tensors of one type together. */
export interface DtypeSummary {
  dtype: string;
  tensors: number;
  elements: number;
  byteLength: number;
}

/** Reads the headers of safetensors weights. @throws MemGenError of {@link openSafetensors}. */
export async function readTensorInfos(
  path: string,
): Promise<{ tensors: TensorInfo[]; metadata: Record<string, string> }> {
  const file = await openSafetensors(path);
  try {
    return { tensors: plainInfos(file.tensors.values()), metadata: Object.fromEntries(file.metadata) };
  } finally {
    await file.close();
  }
}

/** The same for the weights of a model folder. @throws MemGenError of {@link openWeights}. */
export async function readFolderInfos(folder: string): Promise<{ tensors: TensorInfo[]; format: WeightFormat }> {
  const { weights, format } = await openWeights(folder);
  try {
    return { tensors: plainInfos(weights.tensors.values()), format };
  } finally {
    await weights.close();
  }
}

/** Without what the readers note for themselves. */
export function plainInfos(tensors: Iterable<TensorInfo>): TensorInfo[] {
  return Array.from(tensors, ({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, byteLength }));
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function countParameters(tensors: readonly TensorInfo[]): number {
  return tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** The type with most bytes first. */
export function summarizeByDtype(tensors: readonly TensorInfo[]): DtypeSummary[] {
  const summaries = new Map<string, DtypeSummary>();
  for (const { dtype, shape, byteLength } of tensors) {
    const summary = summaries.get(dtype) ?? { dtype, tensors: 0, elements: 0, byteLength: 0 };
    summaries.set(dtype, summary);
    summary.tensors += 1;
    summary.elements += elementCount(shape);
    summary.byteLength += byteLength;
  }
  return [...summaries.values()].sort((a, b) => b.byteLength - a.byteLength);
}
