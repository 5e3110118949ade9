// Writes a checkpoint of this project in the layout of the official PyTorch code, with safetensors in place of pickles.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError, replaceFolder, writeFileAtomically } from '@memgen/common';
import {
  openSafetensors,
  readPeftAdapter,
  readTensors,
  writePeftAdapter,
  writeSafetensors,
  type ArrayWithShape,
  type PeftLoraConfig,
} from '../formats/index.js';
import { absolutePath } from '../hub/find-local-model.js';
import { resolveCheckpoint, resolveModel, type ResolveModelOptions } from '../hub/index.js';
import { manifestPath, readManifest, requireSameModel, type ManifestModel, type PartName } from '../memgen/manifest.js';
import { configHash } from '../reasoner/config-hash.js';
import { formatJson, openModelSource } from './model-source.js';
import { refuseExisting } from './refuse-existing.js';

export interface ExportOfficialOptions extends ResolveModelOptions {
  /** Where the reasoner is; of it only the configuration is read. @default what the checkpoint names */
  reasoner?: string | undefined;
}

/** What was written. */
export interface ExportedCheckpoint {
  /** Absolute path of the new folder. */
  folder: string;
  parts: readonly PartName[];
  /** Tensors in all files. */
  tensors: number;
}

/** Tensors by file, as the official code groups them. */
const filesOfWeaver = {
  weaver: ['prompt', 'inference'].flatMap((kind) => [
    `${kind}_query_latents`,
    `${kind}_latent_ln.weight`,
    `${kind}_latent_ln.bias`,
    `${kind}_latent_scale`,
  ]),
  projs: ['reasoner_to_weaver', 'weaver_to_reasoner'].flatMap((name) => [`${name}.weight`, `${name}.bias`]),
};
const filesOfTrigger = { trigger: ['output_layer.weight', 'output_layer.bias'] };

/**
 * Renames and regroups the tensors of a checkpoint whose weaver is a `LatentWeaver` of `@memgen/weaver`; values are not
 * touched. The official code reads `projs.bin`, `weaver.bin` and `trigger.bin`; here they are `projs.safetensors`,
 * `weaver.safetensors` and `trigger.safetensors`, with the keys of nested dictionaries joined by dots.
 *
 * @param source - a checkpoint folder, or its place on the hub.
 * @param target - a folder that does not exist or is empty.
 * @throws MemGenError `export-part` for a weaver or trigger that the official code does not know, `checkpoint-base` for
 *   another reasoner than that of the checkpoint, `file-exists`; of finding, reading and writing the files.
 */
export async function exportOfficial(
  source: string,
  target: string,
  { reasoner, ...options }: ExportOfficialOptions = {},
): Promise<ExportedCheckpoint> {
  const folder = absolutePath(target);
  await refuseExisting(folder);
  const { path, layout } = await resolveCheckpoint(source, options);
  if (layout === 'official') throw exportError(path, 'this checkpoint is in the official layout already');
  const manifest = await readManifest(path);
  const { parts } = manifest;
  if (!parts.includes('weaver')) throw exportError(path, 'the official layout needs a weaver', parts.join(', '));

  const where = manifestPath(path);
  const config = await readReasonerConfig(manifest.reasoner, { where, reasoner, options });
  const weaver = await readPart(path, 'weaver', filesOfWeaver);
  const trigger = parts.includes('trigger') ? await readPart(path, 'trigger', filesOfTrigger) : undefined;
  const officialConfig = {
    ...config,
    model_type: 'memgen',
    max_prompt_aug_num: 1,
    max_inference_aug_num: manifest.generation?.max_inference_points ?? 5,
    prompt_latents_len: weaver.tensors.get('prompt_query_latents')!.shape[0],
    inference_latents_len: weaver.tensors.get('inference_query_latents')!.shape[0],
    weaver_lora_config: loraConfig(weaver.adapter.config),
    trigger_active: trigger !== undefined,
    // The official code makes a trigger in any case.
    trigger_lora_config: loraConfig((trigger ?? weaver).adapter.config),
  };

  let tensors = 0;
  await replaceFolder(folder, async (temporary) => {
    const writePart = async (name: PartName, { adapter, tensors: values, files }: StoredPart) => {
      for (const [file, names] of Object.entries(files)) {
        const stored = names.map((tensor) => ({ name: tensor, ...values.get(tensor)! }));
        await writeSafetensors(join(temporary, `${file}.safetensors`), stored);
      }
      const adapterFolder = join(temporary, name, name);
      await mkdir(adapterFolder, { recursive: true });
      const named = withBase(adapter.config, manifest.bases?.[name] ?? manifest.reasoner);
      await writePeftAdapter(adapterFolder, { ...adapter, config: named });
      tensors += values.size + 2 * adapter.modules.size;
    };
    await writePart('weaver', weaver);
    if (trigger !== undefined) await writePart('trigger', trigger);
    await writeFileAtomically(join(temporary, 'config.json'), formatJson(officialConfig));
  });
  return { folder, parts, tensors };
}

interface StoredPart {
  adapter: Awaited<ReturnType<typeof readPeftAdapter>>;
  tensors: Map<string, ArrayWithShape>;
  files: Readonly<Record<string, readonly string[]>>;
}

/** Reads a part of this project's classes; another kind of part has other tensors, or none. */
async function readPart(checkpoint: string, name: PartName, files: StoredPart['files']): Promise<StoredPart> {
  const path = join(checkpoint, name, `${name}.safetensors`);
  const tensors = await readTensors(await openSafetensors(path));
  const expected = Object.values(files).flat().sort().join(', ');
  const got = [...tensors.keys()].sort().join(', ');
  if (got !== expected) throw exportError(path, `the official code knows no ${name} of this kind`, got, expected);
  return { adapter: await readPeftAdapter(join(checkpoint, name)), tensors, files };
}

async function readReasonerConfig(
  named: ManifestModel,
  { where, reasoner, options }: { where: string; reasoner: string | undefined; options: ResolveModelOptions },
): Promise<Record<string, unknown>> {
  const source = reasoner ?? named.source;
  const revision = reasoner === undefined ? named.revision : undefined;
  const found = await resolveModel(source, { ...options, revision });
  const { weights, config } = await openModelSource(found);
  await weights.close();
  const origin = { source, revision: found.revision, format: named.format, configHash: configHash(config) };
  requireSameModel(named, origin, { where, role: 'reasoner' });
  return config;
}

/** Names the base model as the Python tools do, where it has a name on the hub and none is named yet. */
function withBase(config: PeftLoraConfig, { source, revision }: ManifestModel): PeftLoraConfig {
  if (config.baseModelNameOrPath !== null || !/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(source)) return config;
  return { ...config, baseModelNameOrPath: source, revision: revision ?? null };
}

function loraConfig({ r, loraAlpha, loraDropout, targetModules, taskType }: PeftLoraConfig): Record<string, unknown> {
  return {
    r,
    lora_alpha: loraAlpha,
    target_modules: targetModules,
    lora_dropout: loraDropout,
    bias: 'none',
    task_type: taskType ?? 'CAUSAL_LM',
  };
}

function exportError(where: string, message: string, got?: string, expected?: string): MemGenError {
  return new MemGenError({ code: 'export-part', where, message, got, expected });
}
