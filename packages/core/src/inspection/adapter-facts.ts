// A PEFT adapter folder: its settings, whether they can be used here, and its tensors.
import { join } from 'node:path';
import { parseAdapterConfig } from '../formats/peft/adapter-config.js';
import { readJsonFile, type TensorInfo } from '../formats/index.js';
import { attempt, type Problem } from './problem.js';
import { countParameters, readTensorInfos } from './stored-tensors.js';

/** Read leniently from adapter_config.json, so that refused adapters can be described as well. */
export interface AdapterFacts {
  /** `peft_type`, e.g. `LORA`. */
  type: string;
  baseModel?: string | undefined;
  rank?: number | undefined;
  alpha?: number | undefined;
  /** Names of modules, or the one regular expression. */
  targetModules: readonly string[];
  /** Modules that have an adapter in the file. */
  modules: number;
  parameters: number;
}

const configName = 'adapter_config.json';
const weightsName = 'adapter_model.safetensors';

/** Whether the names of a folder's files are those of an adapter. */
export function isAdapterFolder(names: readonly string[]): boolean {
  return names.includes(configName);
}

/** @throws nothing that a file can cause: it becomes a problem. */
export async function describeAdapter(
  folder: string,
  problems: Problem[],
): Promise<{ adapter: AdapterFacts; tensors: TensorInfo[] }> {
  const path = join(folder, configName);
  const json = (await attempt(problems, 'adapter', () => readJsonFile(path, 'an adapter configuration'))) ?? {};
  if (Object.keys(json).length > 0) await attempt(problems, 'adapter', () => parseAdapterConfig(json, path));
  const file = await attempt(problems, 'weights', () => readTensorInfos(join(folder, weightsName)));
  const tensors = file?.tensors ?? [];
  const { peft_type: type, base_model_name_or_path: baseModel, target_modules: targets } = json;
  const modules = new Set(tensors.map(({ name }) => name.replace(/\.lora_[AB]\.weight$/, '')));
  return {
    adapter: {
      type: typeof type === 'string' ? type : 'unknown',
      baseModel: typeof baseModel === 'string' ? baseModel : undefined,
      rank: numberOf(json.r),
      alpha: numberOf(json.lora_alpha),
      targetModules: typeof targets === 'string' ? [targets] : Array.isArray(targets) ? targets.map(String) : [],
      modules: modules.size,
      parameters: countParameters(tensors),
    },
    tensors,
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
