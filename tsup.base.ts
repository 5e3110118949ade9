// What every package's build has in common: ESM for Node, types, source maps.
import type { Options } from 'tsup';

/** Build options of a package whose entry points are `entry` (name to source file). */
export function packageBuild(entry: Record<string, string>, extra: Options = {}): Options {
  return {
    entry,
    format: ['esm'],
    target: 'node20',
    platform: 'node',
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    ...extra,
  };
}
