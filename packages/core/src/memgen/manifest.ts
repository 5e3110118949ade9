// `memgen.json`: what a checkpoint holds and which models it belongs to.
import { MemGenError } from '@memgen/common';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../formats/index.js';
import type { ReasonerOrigin } from '../reasoner/reasoner.js';

/** Version of the form of the folder; a reader refuses versions it does not know. */
export const checkpointVersion = 1;

const partNames = ['weaver', 'trigger'] as const;
export type PartName = (typeof partNames)[number];

const modelSchema = z.object({
  source: z.string(),
  revision: z.string().optional(),
  format: z.enum(['safetensors', 'torch-pickle', 'gguf']),
  config_sha256: z.string(),
});

const manifestSchema = z.object({
  schema_version: z.literal(checkpointVersion),
  reasoner: modelSchema,
  parts: z.array(z.enum(partNames)).min(1),
  /** Models under parts that do not sit on the reasoner. */
  bases: z.partialRecord(z.enum(partNames), modelSchema).optional(),
  /** How the parts are meant to be used. */
  generation: z
    .object({
      max_inference_points: z.int().nonnegative().optional(),
      delimiter_rule: z.enum(['reference', 'sentence', 'token']).optional(),
      minimum_point_distance: z.int().positive().optional(),
    })
    .optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
/** A model as a manifest names it. */
export type ManifestModel = z.infer<typeof modelSchema>;

export function manifestPath(folder: string): string {
  return join(folder, 'memgen.json');
}

/** @throws MemGenError `checkpoint` for a damaged or newer manifest, `file-not-found`. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = manifestPath(folder);
  const parsed = manifestSchema.safeParse(await readJsonFile(path, 'the manifest of a MemGen checkpoint'));
  if (parsed.success) return parsed.data;
  throw new MemGenError({
    code: 'checkpoint',
    where: path,
    message: z.prettifyError(parsed.error),
    expected: `a MemGen checkpoint, schema_version ${checkpointVersion}`,
  });
}

export function toManifestModel({ source, revision, format, configHash }: ReasonerOrigin): ManifestModel {
  return { source, revision, format, config_sha256: configHash };
}

/**
 * Checks that a loaded model is the one that a manifest names; it may come from another place.
 * @param role - what the model is to the checkpoint, for the message.
 * @throws MemGenError `checkpoint-base` with the names of both.
 */
export function requireSameModel(
  named: ManifestModel,
  loaded: ReasonerOrigin,
  { where, role }: { where: string; role: string },
): void {
  if (named.config_sha256 === loaded.configHash) return;
  throw new MemGenError({
    code: 'checkpoint-base',
    where,
    message: `the checkpoint was trained for another ${role}`,
    got: `${loaded.source} (configuration ${loaded.configHash.slice(0, 12)})`,
    expected: `${named.source} (configuration ${named.config_sha256.slice(0, 12)})`,
    hint: `load the ${role} that the checkpoint names`,
  });
}
