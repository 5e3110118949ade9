// How a checkpoint's parts are read without knowing the classes that they are of.
import { MemGenError } from '@memgen/common';
import { join } from 'node:path';
import type { Decoder } from '../model/decoder.js';
import type { PartName } from './manifest.js';

/**
 * Reads a weaver or a trigger. The classes `LatentWeaver` of `@memgen/weaver` and `LanguageModelTrigger` of
 * `@memgen/trigger` are such loaders themselves.
 */
export interface PartLoader<Part> {
  /** Reads what the part's `save` wrote. @param base - the model that it sits on. */
  load(folder: string, base: Decoder): Promise<Part>;
  /** Reads it out of the folder of a whole checkpoint of the official code; left out where there is no such thing. */
  loadOfficial?(folder: string, base: Decoder): Promise<Part>;
}

/** A folder that holds parts. */
export interface PartSource {
  layout: 'own' | 'official';
  /** The folder of the checkpoint. */
  path: string;
}

/** @throws MemGenError `checkpoint-part` for an official checkpoint and a loader that cannot read one; of the loader. */
export async function loadPart<Part>(
  name: PartName,
  loader: PartLoader<Part>,
  { source: { layout, path }, base }: { source: PartSource; base: Decoder },
): Promise<Part> {
  if (layout === 'own') return loader.load(join(path, name), base);
  if (loader.loadOfficial !== undefined) return loader.loadOfficial(path, base);
  throw new MemGenError({
    code: 'checkpoint-part',
    where: path,
    message: `this kind of ${name} cannot be read out of a checkpoint of the official code`,
    expected: 'a folder with memgen.json',
  });
}
