// A MemGen checkpoint: one folder with `memgen.json` (what belongs together) and a folder per part.
import { MemGenError, writeFileAtomically } from '@memgen/common';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../formats/index.js';
import type { ReasonerOrigin } from '../reasoner/reasoner.js';
import type { Trigger } from './trigger.js';
import type { Weaver } from './weaver.js';

/** Version of the form of the folder; a reader refuses versions it does not know. */
export const checkpointVersion = 1;

const partNames = ['weaver', 'trigger'] as const;
export type PartName = (typeof partNames)[number];

const manifestSchema = z.object({
  schema_version: z.literal(checkpointVersion),
  reasoner: z.object({
    source: z.string(),
    revision: z.string().optional(),
    format: z.enum(['safetensors', 'gguf']),
    config_sha256: z.string(),
  }),
  parts: z.array(z.enum(partNames)).min(1),
});

export interface MemGenParts {
  /** The model that the parts were trained for. */
  reasoner: ReasonerOrigin;
  weaver?: Weaver | undefined;
  trigger?: Trigger | undefined;
}

/**
 * Writes `memgen.json` and a folder for each part (into a folder of `replaceFolder`, so that it is never half-written).
 * @throws MemGenError `checkpoint` when there is no part.
 */
export async function saveMemGen(folder: string, { reasoner, weaver, trigger }: MemGenParts): Promise<void> {
  const parts = new Map<PartName, Weaver | Trigger>();
  if (weaver !== undefined) parts.set('weaver', weaver);
  if (trigger !== undefined) parts.set('trigger', trigger);
  if (parts.size === 0) {
    throw new MemGenError({ code: 'checkpoint', where: folder, message: 'a checkpoint needs a weaver or a trigger' });
  }
  const manifest: z.infer<typeof manifestSchema> = {
    schema_version: checkpointVersion,
    reasoner: {
      source: reasoner.source,
      revision: reasoner.revision,
      format: reasoner.format,
      config_sha256: reasoner.configHash,
    },
    parts: [...parts.keys()],
  };
  for (const [name, part] of parts) {
    const partFolder = join(folder, name);
    await mkdir(partFolder, { recursive: true });
    await part.save(partFolder);
  }
  await writeFileAtomically(join(folder, 'memgen.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** What a checkpoint holds. */
export interface OpenedMemGen {
  parts: readonly PartName[];
  /** The folder of a part, for the part's own loader. @throws MemGenError `checkpoint-part` if it is not there. */
  folderOf(part: PartName): string;
}

/**
 * Checks that a checkpoint belongs to a loaded reasoner.
 * @throws MemGenError `checkpoint` for a damaged or newer manifest, `checkpoint-base` for another reasoner.
 */
export async function openMemGen(folder: string, reasoner: ReasonerOrigin): Promise<OpenedMemGen> {
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
  const { parts } = parsed.data;
  return {
    parts,
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
