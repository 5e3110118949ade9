// A MemGen checkpoint: one folder with `memgen.json` (what belongs together) and a folder per part.
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../formats/index.js';
import type { ReasonerOrigin } from '../reasoner/reasoner.js';
import type { Weaver } from './weaver.js';

/** Version of the form of the folder; a reader refuses versions it does not know. */
export const checkpointVersion = 1;

const manifestSchema = z.object({
  schema_version: z.literal(checkpointVersion),
  reasoner: z.object({
    source: z.string(),
    revision: z.string().optional(),
    format: z.enum(['safetensors', 'gguf']),
    config_sha256: z.string(),
  }),
  parts: z.array(z.enum(['weaver'])),
});

export interface MemGenParts {
  /** The model that the weaver was trained for. */
  reasoner: ReasonerOrigin;
  weaver: Weaver;
}

/** Writes `memgen.json` and `weaver/` into a folder (give one of `replaceFolder`, so that it is never half-written). */
export async function saveMemGen(folder: string, { reasoner, weaver }: MemGenParts): Promise<void> {
  const manifest: z.infer<typeof manifestSchema> = {
    schema_version: checkpointVersion,
    reasoner: {
      source: reasoner.source,
      revision: reasoner.revision,
      format: reasoner.format,
      config_sha256: reasoner.configHash,
    },
    parts: ['weaver'],
  };
  const weaverFolder = join(folder, 'weaver');
  await mkdir(weaverFolder, { recursive: true });
  await weaver.save(weaverFolder);
  await writeFileAtomically(join(folder, 'memgen.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/**
 * Checks that a checkpoint belongs to a loaded reasoner.
 * @returns the folder of its weaver, for the weaver's own loader.
 * @throws MemGenError `checkpoint` for a damaged or newer manifest, `checkpoint-base` for another reasoner.
 */
export async function openMemGen(folder: string, reasoner: ReasonerOrigin): Promise<{ weaverFolder: string }> {
  const path = join(folder, 'memgen.json');
  const parsed = manifestSchema.safeParse(await readJsonFile(path, 'the manifest of a MemGen checkpoint'));
  if (!parsed.success) {
    throw new MemGenError({
      code: 'checkpoint',
      where: path,
      message: z.prettifyError(parsed.error),
      expected: `a MemGen checkpoint, schema_version ${checkpointVersion}`,
    });
  }
  const base = parsed.data.reasoner;
  if (base.config_sha256 !== reasoner.configHash) {
    throw new MemGenError({
      code: 'checkpoint-base',
      where: path,
      message: 'the checkpoint was trained for another reasoner',
      got: `${reasoner.source} (configuration ${reasoner.configHash.slice(0, 12)})`,
      expected: `${base.source} (configuration ${base.config_sha256.slice(0, 12)})`,
      hint: 'load the reasoner that the checkpoint names',
    });
  }
  return { weaverFolder: join(folder, 'weaver') };
}
