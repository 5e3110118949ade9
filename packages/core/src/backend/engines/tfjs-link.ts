// Hands our copy of tfjs to engines that live in another folder.
import { createRequire } from 'node:module';

/** Key of the global symbol under which a privately installed tfjs-node finds the tfjs of this program. */
export const tfjsLinkKey = 'memgen.tfjs';

const require = createRequire(import.meta.url);

/** Absolute path of the tfjs module that this package computes with. */
export function tfjsPath(): string {
  return require.resolve('@tensorflow/tfjs');
}

/** Makes our tfjs reachable for the private engine folder, whose own `@tensorflow/tfjs` only hands it on. */
export function linkTfjs(): void {
  const tfjs: unknown = require('@tensorflow/tfjs');
  Object.defineProperty(globalThis, Symbol.for(tfjsLinkKey), { value: tfjs, configurable: true });
}

/**
 * Makes `requester`, a backend package that was installed next to another copy of tfjs, load ours instead. Two copies
 * share one engine through a global but register every kernel and platform twice.
 */
export function shareTfjs(requester: NodeJS.Require): void {
  const ours = tfjsPath();
  alias(ours, resolveOrUndefined(requester, '@tensorflow/tfjs'));
  const ourCore = createRequire(ours).resolve('@tensorflow/tfjs-core');
  alias(ourCore, resolveOrUndefined(requester, '@tensorflow/tfjs-core'));
}

function alias(ours: string, theirs: string | undefined): void {
  require(ours);
  if (theirs !== undefined && require.cache[theirs] === undefined) require.cache[theirs] = require.cache[ours];
}

function resolveOrUndefined(requester: NodeJS.Require, name: string): string | undefined {
  try {
    return requester.resolve(name);
  } catch {
    return undefined;
  }
}
