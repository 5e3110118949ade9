// Adapter folders of the PEFT library: adapter_config.json and adapter_model.safetensors.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { readJsonFile } from '../json-file.js';
import { openSafetensors, writeSafetensors, type SafetensorsFile, type TensorToWrite } from '../safetensors/index.js';
import { formatAdapterConfig, parseAdapterConfig, type PeftLoraConfig } from './adapter-config.js';
import { findTargetModules, loraRank } from './target-modules.js';

/** The two factors of one module's adapter; its output gains `scaling * B A x`. */
export interface PeftModule {
  rank: number;
  inputSize: number;
  outputSize: number;
  /** `[rank, inputSize]`, row-major. */
  a: Float32Array;
  /** `[outputSize, rank]`, row-major. */
  b: Float32Array;
}

/** A LoRA adapter by the paths of its modules in the base model, e.g. `model.layers.0.self_attn.q_proj`. */
export interface PeftAdapter {
  config: PeftLoraConfig;
  modules: ReadonlyMap<string, PeftModule>;
}

const configName = 'adapter_config.json';
const weightsName = 'adapter_model.safetensors';
const prefix = 'base_model.model.';

/**
 * Reads an adapter folder. Scaling of a module: {@link loraScaling}. Whether an adapter covers all modules that it means
 * to can be told only with the base model: compare with {@link findTargetModules}.
 *
 * @throws MemGenError `peft-config`, `peft-unsupported`, `peft-keys` (keys missing, unexpected or not targeted),
 * `peft-shape`, and those of {@link openSafetensors}.
 */
export async function readPeftAdapter(folder: string): Promise<PeftAdapter> {
  const configPath = join(folder, configName);
  const config = parseAdapterConfig(await readJsonFile(configPath, 'an adapter configuration'), configPath);
  await refusePickle(folder);
  const file = await openSafetensors(join(folder, weightsName));
  try {
    const paths = findModulePaths([...file.tensors.keys()], join(folder, weightsName));
    checkTargets(config, paths, folder);
    const modules = new Map<string, PeftModule>();
    for (const path of paths) modules.set(path, await readModule(file, path, loraRank(config, path), folder));
    return { config, modules };
  } finally {
    await file.close();
  }
}

/**
 * Writes the two files of an adapter folder (each atomically, the weights first); other files in it stay.
 *
 * @param dtype - how to store the weights. @default 'F32'
 * @throws MemGenError `peft-shape`, `peft-keys` for modules that the configuration does not target, and those of
 * {@link writeSafetensors}.
 */
export async function writePeftAdapter(
  folder: string,
  { config, modules }: PeftAdapter,
  { dtype = 'F32' }: { dtype?: TensorToWrite['dtype'] } = {},
): Promise<void> {
  checkTargets(config, [...modules.keys()], folder);
  const tensors: TensorToWrite[] = [];
  for (const [path, { rank, inputSize, outputSize, a, b }] of modules) {
    checkRank(rank, loraRank(config, path), path, folder);
    tensors.push({ name: `${prefix}${path}.lora_A.weight`, shape: [rank, inputSize], data: a, dtype });
    tensors.push({ name: `${prefix}${path}.lora_B.weight`, shape: [outputSize, rank], data: b, dtype });
  }
  await writeSafetensors(join(folder, weightsName), tensors);
  const json = JSON.stringify(formatAdapterConfig(config), null, 2);
  await writeFileAtomically(join(folder, configName), `${json}\n`);
}

/** Module paths in the file; every key must be one of the two factors and have its partner. */
function findModulePaths(keys: readonly string[], where: string): string[] {
  const parts = keys.map((key) => /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(key));
  const unexpected = keys.filter((_, i) => parts[i] === null);
  if (unexpected.length > 0) {
    throw keysError(where, 'the adapter holds tensors that are not understood', {
      got: listSome(unexpected),
      expected: `${prefix}<module path>.lora_A.weight and .lora_B.weight`,
    });
  }
  const paths = [...new Set(parts.map((part) => part?.[1] ?? ''))];
  const present = new Set(keys);
  const missing = paths
    .flatMap((path) => ['A', 'B'].map((factor) => `${prefix}${path}.lora_${factor}.weight`))
    .filter((key) => !present.has(key));
  if (missing.length > 0)
    throw keysError(where, 'tensors of the adapter are missing', { got: `no ${listSome(missing)}` });
  if (paths.length === 0) throw keysError(where, 'the adapter is empty', {});
  return paths;
}

function checkTargets(config: PeftLoraConfig, paths: readonly string[], where: string): void {
  const targeted = new Set(findTargetModules(config, paths));
  const stray = paths.filter((path) => !targeted.has(path));
  if (stray.length === 0) return;
  throw keysError(where, 'the adapter holds modules that its configuration does not target', {
    got: listSome(stray),
    expected: `target_modules ${JSON.stringify(config.targetModules)}`,
  });
}

async function readModule(file: SafetensorsFile, path: string, rank: number, where: string): Promise<PeftModule> {
  const [nameA, nameB] = [`${prefix}${path}.lora_A.weight`, `${prefix}${path}.lora_B.weight`];
  const [rankA, inputSize] = matrixShape(file, nameA, where);
  const [outputSize, rankB] = matrixShape(file, nameB, where);
  checkRank(rankA, rank, nameA, where);
  checkRank(rankB, rank, nameB, where);
  return { rank, inputSize, outputSize, a: await file.readFloat32(nameA), b: await file.readFloat32(nameB) };
}

function matrixShape(file: SafetensorsFile, name: string, where: string): [number, number] {
  const shape = file.tensors.get(name)?.shape ?? [];
  const [rows, columns] = shape;
  if (shape.length === 2 && rows !== undefined && columns !== undefined) return [rows, columns];
  throw new MemGenError({
    code: 'peft-shape',
    where: `${where}, tensor "${name}"`,
    message: 'a factor of an adapter must be a matrix',
    got: `shape [${shape.join(', ')}]`,
  });
}

function checkRank(got: number, expected: number, name: string, where: string): void {
  if (got === expected) return;
  throw new MemGenError({
    code: 'peft-shape',
    where: `${where}, ${name}`,
    message: 'the rank is not that of the configuration',
    got: String(got),
    expected: String(expected),
    hint: 'the two files belong to different adapters, or rank_pattern is incomplete',
  });
}

async function refusePickle(folder: string): Promise<void> {
  const exists = (name: string): Promise<boolean> =>
    access(join(folder, name)).then(
      () => true,
      () => false,
    );
  if ((await exists(weightsName)) || !(await exists('adapter_model.bin'))) return;
  throw new MemGenError({
    code: 'peft-unsupported',
    where: folder,
    message: 'the weights of this adapter are a Python pickle, which could run code',
    got: 'adapter_model.bin',
    expected: weightsName,
    hint: 'save it again with a current PEFT library, which writes safetensors',
  });
}

function keysError(where: string, message: string, details: { got?: string; expected?: string }): MemGenError {
  return new MemGenError({
    code: 'peft-keys',
    where,
    message,
    hint: 'the adapter was made for another kind of model, in another layout, or is damaged',
    ...details,
  });
}

function listSome(items: readonly string[]): string {
  return items.slice(0, 3).join(', ') + (items.length > 3 ? ` and ${items.length - 3} more` : '');
}
