// The weaver and trigger of this project, where they are installed beside this package, which does not depend on them.
import { pathToFileURL } from 'node:url';
import { MemGenError, type Random } from '@memgen/common';
import { resolvePeer } from '../backend/engines/resolve-peer.js';
import type { PartLoader, Trigger, Weaver } from '../memgen/index.js';
import type { Decoder, LoraConfig } from '../model/index.js';

/** Reads weavers and makes new ones. */
export interface WeaverClass extends PartLoader<Weaver> {
  initialize(base: Decoder, reasonerHidden: number, config: { lora: LoraConfig }, random: Random): Weaver;
}

/** The classes of the parts. */
export interface InstalledParts {
  weaver: WeaverClass;
  /** Undefined where it is not installed. */
  trigger: PartLoader<Trigger> | undefined;
}

/** Finds the file that a package's name leads to; throws where there is none. */
type Resolve = (name: string) => { path: string };

/** @throws MemGenError `package-missing` without `@memgen/weaver`. */
export async function importParts(resolve: Resolve = resolvePeer): Promise<InstalledParts> {
  const weaver = await importClass('@memgen/weaver', 'LatentWeaver', resolve);
  if (!isWeaverClass(weaver)) {
    throw new MemGenError({
      code: 'package-missing',
      message: 'this command needs the package @memgen/weaver of the same version',
      got: weaver === undefined ? 'it is not installed' : 'it exports no LatentWeaver that fits',
      hint: 'npm install @memgen/weaver @memgen/trigger',
    });
  }
  const trigger = await importClass('@memgen/trigger', 'LanguageModelTrigger', resolve);
  return { weaver, trigger: isLoader<Trigger>(trigger) ? trigger : undefined };
}

async function importClass(name: string, exported: string, resolve: Resolve): Promise<unknown> {
  let path: string;
  try {
    ({ path } = resolve(name));
  } catch {
    return undefined;
  }
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  return module[exported];
}

function isLoader<Part>(value: unknown): value is PartLoader<Part> {
  return typeof value === 'function' && 'load' in value && typeof value.load === 'function';
}

function isWeaverClass(value: unknown): value is WeaverClass {
  return isLoader<Weaver>(value) && 'initialize' in value && typeof value.initialize === 'function';
}
