// A MemGen checkpoint: one folder with `memgen.json` (what belongs together) and a folder per part.
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReasonerOrigin } from '../reasoner/reasoner.js';
import type { DelimiterRule } from '../text/delimiter.js';
import {
  checkpointVersion,
  manifestPath,
  readManifest,
  requireSameModel,
  toManifestModel,
  type Manifest,
  type PartName,
} from './manifest.js';
import type { Trigger } from './trigger.js';
import type { Weaver } from './weaver.js';

/** How a weaver and a trigger are meant to be used: what they were trained with. */
export interface WeavingSettings {
  maxInferencePoints?: number;
  delimiterRule?: DelimiterRule;
  minimumPointDistance?: number;
}

export interface MemGenParts {
  /** The model that the parts were trained for. */
  reasoner: ReasonerOrigin;
  weaver?: Weaver | undefined;
  trigger?: Trigger | undefined;
  /** The models under parts that do not sit on the reasoner. */
  bases?: Partial<Record<PartName, ReasonerOrigin>> | undefined;
  generation?: WeavingSettings | undefined;
}

/**
 * Writes `memgen.json` and a folder for each part (into a folder of `replaceFolder`, so that it is never half-written).
 * @throws MemGenError `checkpoint` when there is no part.
 */
export async function saveMemGen(
  folder: string,
  { reasoner, weaver, trigger, bases = {}, generation }: MemGenParts,
): Promise<void> {
  const parts = new Map<PartName, Weaver | Trigger>();
  if (weaver !== undefined) parts.set('weaver', weaver);
  if (trigger !== undefined) parts.set('trigger', trigger);
  if (parts.size === 0) {
    throw new MemGenError({ code: 'checkpoint', where: folder, message: 'a checkpoint needs a weaver or a trigger' });
  }
  const ownBases = Object.entries(bases).filter(([, origin]) => origin.configHash !== reasoner.configHash);
  const manifest: Manifest = {
    schema_version: checkpointVersion,
    reasoner: toManifestModel(reasoner),
    parts: [...parts.keys()],
    ...(ownBases.length > 0 && {
      bases: Object.fromEntries(ownBases.map(([name, origin]) => [name, toManifestModel(origin)])),
    }),
    ...(generation !== undefined && {
      generation: {
        max_inference_points: generation.maxInferencePoints,
        delimiter_rule: generation.delimiterRule,
        minimum_point_distance: generation.minimumPointDistance,
      },
    }),
  };
  for (const [name, part] of parts) {
    const partFolder = join(folder, name);
    await mkdir(partFolder, { recursive: true });
    await part.save(partFolder);
  }
  await writeFileAtomically(manifestPath(folder), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** What a checkpoint holds. */
export interface OpenedMemGen {
  parts: readonly PartName[];
  /** What is to be used with the parts, as far as it was said when they were saved. */
  generation: WeavingSettings;
  /** The folder of a part, for the part's own loader. @throws MemGenError `checkpoint-part` if it is not there. */
  folderOf(part: PartName): string;
}

/**
 * Checks that a checkpoint belongs to a loaded reasoner.
 * @param bases - the models under parts that do not sit on the reasoner; only those that are given are checked.
 * @throws MemGenError `checkpoint` for a damaged or newer manifest, `checkpoint-base` for another reasoner or base.
 */
export async function openMemGen(
  folder: string,
  reasoner: ReasonerOrigin,
  bases: Partial<Record<PartName, ReasonerOrigin>> = {},
): Promise<OpenedMemGen> {
  const manifest = await readManifest(folder);
  const path = manifestPath(folder);
  requireSameModel(manifest.reasoner, reasoner, { where: path, role: 'reasoner' });
  for (const part of manifest.parts) {
    const loaded = bases[part];
    if (loaded === undefined) continue;
    requireSameModel(manifest.bases?.[part] ?? manifest.reasoner, loaded, { where: path, role: `base of the ${part}` });
  }
  const { parts, generation = {} } = manifest;
  return {
    parts,
    generation: {
      ...(generation.max_inference_points !== undefined && { maxInferencePoints: generation.max_inference_points }),
      ...(generation.delimiter_rule !== undefined && { delimiterRule: generation.delimiter_rule }),
      ...(generation.minimum_point_distance !== undefined && {
        minimumPointDistance: generation.minimum_point_distance,
      }),
    },
    folderOf(part) {
      if (parts.includes(part)) return join(folder, part);
      throw new MemGenError({
        code: 'checkpoint-part',
        where: path,
        message: `the checkpoint has no ${part}`,
        got: parts.join(', '),
        expected: part,
      });
    },
  };
}
