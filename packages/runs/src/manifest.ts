// manifest.json: everything that is needed to repeat a run, in one readable file.
import { readFile } from 'node:fs/promises';
import { MemGenError, toFileError, writeFileAtomically } from '@memgen/common';
import { z } from 'zod';

/** Version of the file's form; a reader refuses versions it does not know. */
export const manifestVersion = 1;

const time = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits');

/** One file or generated set that rows came from. */
const dataFacts = z.looseObject({
  name: z.string(),
  /** Path, hub id, or the generator and its seed. */
  source: z.string(),
  sha256,
  rows: z.int().nonnegative(),
});

const modelFacts = z.looseObject({
  /** What the model is for, e.g. `reasoner`. */
  role: z.string(),
  /** Folder, GGUF file or hub id as configured. */
  id: z.string(),
  revision: z.string().optional(),
  /** Hash of the weights. */
  sha256: sha256.optional(),
});

/** One process that worked on the run; a resumed run has several, perhaps on different machines. */
const session = z.looseObject({
  /** The command as it was given, words apart. */
  command: z.array(z.string()),
  started_at: time,
  ended_at: time.optional(),
  /** Optimizer step at which the session took over; 0 for the first. */
  from_step: z.int().nonnegative(),
  backend: z.looseObject({
    name: z.string(),
    version: z.string().optional(),
    /** Why this one was chosen. */
    reason: z.string().optional(),
  }),
  machine: z.object({
    node: z.string(),
    platform: z.string(),
    cpu: z.string(),
    cpu_cores: z.number(),
    memory_bytes: z.number(),
  }),
  packages: z.record(z.string(), z.string()),
  git: z.object({ commit: z.string(), dirty: z.boolean() }).optional(),
});

const manifestSchema = z.looseObject({
  schema_version: z.literal(manifestVersion),
  name: z.string(),
  status: z.enum(['running', 'finished', 'interrupted', 'failed']),
  seed: z.int(),
  /** The configuration with all defaults filled in; feeding it back repeats the run. */
  config: z.record(z.string(), z.unknown()),
  models: z.array(modelFacts),
  data: z.array(dataFacts),
  sessions: z.array(session).min(1),
  /** What came out, in a form the application chooses. */
  results: z.unknown().optional(),
});

/** The file as it stands on disk, hence its snake_case; further members are kept. */
export type RunManifest = z.infer<typeof manifestSchema>;
export type RunSession = RunManifest['sessions'][number];
export type RunStatus = RunManifest['status'];

/** Writes the file aside and renames it. @throws MemGenError if it is not of the form of {@link RunManifest}. */
export async function writeManifest(path: string, manifest: RunManifest): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify(parseManifest(manifest, path), undefined, 2)}\n`);
}

/** @throws MemGenError with code `manifest` for a file that is damaged or of another version. */
export async function readManifest(path: string): Promise<RunManifest> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw toFileError(error, 'read the manifest of the run', path);
  }
  try {
    return parseManifest(JSON.parse(text), path);
  } catch (error) {
    if (MemGenError.isInstance(error)) throw error;
    throw manifestError(
      path,
      'the manifest is not JSON',
      error instanceof Error ? error.message : String(error),
      error,
    );
  }
}

function parseManifest(value: unknown, path: string): RunManifest {
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = issue === undefined ? '' : ` at ${issue.path.join('.')}`;
  throw manifestError(path, `the manifest is not of version ${manifestVersion}`, `${issue?.message ?? ''}${at}`);
}

function manifestError(path: string, message: string, got: string, cause?: unknown): MemGenError {
  return new MemGenError({
    code: 'manifest',
    where: path,
    message,
    got,
    expected: `the manifest.json of a run, schema_version ${manifestVersion}`,
    hint: 'was the file edited, or written by another version of memgen? Start a new run in another folder',
    cause,
  });
}
