// The versions of installed packages, read from where the given module would load them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * Versions by package name, `"not installed"` for what cannot be found.
 *
 * @param from - `import.meta.url` of the module that uses the packages.
 */
export function readPackageVersions(names: readonly string[], from: string): Record<string, string> {
  const require = createRequire(from);
  return Object.fromEntries(names.map((name) => [name, readVersion(require.resolve.paths(name) ?? [], name)]));
}

/** Looks into node_modules itself: many packages do not export their package.json. */
function readVersion(folders: readonly string[], name: string): string {
  for (const folder of folders) {
    try {
      const file: unknown = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8'));
      if (typeof file === 'object' && file !== null && 'version' in file) return String(file.version);
    } catch {
      // Not in this folder; the next one up may have it.
    }
  }
  return 'not installed';
}
