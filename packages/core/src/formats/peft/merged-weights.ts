// The weights of a model file with an adapter merged in, made one at a time while they are read: W + scaling * B A.
import { MemGenError } from '@memgen/common';
import type { TensorSource } from '../tensor-source.js';
import type { PeftAdapter, PeftModule } from './peft-adapter.js';
import { findTargetModules, loraScaling } from './target-modules.js';

/**
 * Reads the weights that an adapter changes, by their names in the file; all others stay as they are stored.
 *
 * @param source - linear weights `[out, in]` under Hugging Face names.
 * @param where - named in errors, e.g. the adapter's folder.
 * @throws MemGenError `adapter-modules` unless the adapter covers exactly the modules that its settings mean in this
 * model, `adapter-shape`; both before anything is read.
 */
export function mergedWeights(
  source: Pick<TensorSource, 'tensors' | 'readFloat32'>,
  { config, modules }: PeftAdapter,
  where: string,
): ReadonlyMap<string, () => Promise<Float32Array>> {
  checkCoverage(linearModules(source), { config, modules }, where);
  const merged = new Map<string, () => Promise<Float32Array>>();
  for (const [path, module] of modules) {
    const name = `${path}.weight`;
    checkShape(source.tensors.get(name)?.shape ?? [], module, `${where}: ${path}`);
    merged.set(name, async () => addProduct(await source.readFloat32(name), module, loraScaling(config, path)));
  }
  return merged;
}

/** The matrices of the file that are no embeddings. */
function linearModules({ tensors }: Pick<TensorSource, 'tensors'>): string[] {
  return [...tensors.values()].flatMap(({ name, shape }) => {
    const path = /^(.*)\.weight$/.exec(name)?.[1];
    return path === undefined || shape.length !== 2 || /(^|\.)embed_tokens$/.test(path) ? [] : [path];
  });
}

function checkCoverage(paths: readonly string[], { config, modules }: PeftAdapter, where: string): void {
  const expected = new Set(findTargetModules(config, paths));
  const missing = [...expected].filter((path) => !modules.has(path));
  const unexpected = [...modules.keys()].filter((path) => !expected.has(path));
  if (missing.length === 0 && unexpected.length === 0) return;
  throw new MemGenError({
    code: 'adapter-modules',
    where,
    message: 'the adapter does not cover exactly the modules that its settings mean in this base model',
    got: `missing: ${missing.join(', ') || 'none'}; unexpected: ${unexpected.join(', ') || 'none'}`.slice(0, 2000),
    hint: 'check that the adapter belongs to this base model',
  });
}

function checkShape([rows, columns]: readonly number[], { inputSize, outputSize }: PeftModule, where: string): void {
  if (rows === outputSize && columns === inputSize) return;
  throw new MemGenError({
    code: 'adapter-shape',
    where,
    message: 'the adapter of a module does not have the sizes of the module',
    got: `in ${inputSize}, out ${outputSize}`,
    expected: `in ${columns}, out ${rows}`,
    hint: 'check that the adapter belongs to this base model',
  });
}

/** Sums are kept in double precision and rounded once. */
function addProduct(
  weight: Float32Array,
  { rank, inputSize, outputSize, a, b }: PeftModule,
  scaling: number,
): Float32Array {
  const merged = new Float32Array(weight.length);
  const sums = new Float64Array(inputSize);
  for (let row = 0; row < outputSize; row++) {
    sums.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = b[row * rank + k]!;
      const first = k * inputSize;
      for (let column = 0; column < inputSize; column++) sums[column]! += factor * a[first + column]!;
    }
    const first = row * inputSize;
    for (let column = 0; column < inputSize; column++) {
      merged[first + column] = weight[first + column]! + scaling * sums[column]!;
    }
  }
  return merged;
}
