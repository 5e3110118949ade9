// Which files of a folder make a MemGen checkpoint, of this project or of the official code.

/** The file that says what a folder is; it is downloaded last, so where it is, all is there. */
export const checkpointManifests = { own: 'memgen.json', official: 'config.json' } as const;

const ownParts = /^(?:weaver|trigger)\/[^/]+$/;
const officialTensors = /^(?:projs|weaver|trigger)\.(?:bin|safetensors)$/;
const officialAdapters = /^(?:weaver\/weaver|trigger\/trigger)\/adapter_(?:config\.json|model\.safetensors)$/;

/** The layout of a folder by the names in it; undefined if it holds no checkpoint. */
export function checkpointLayout(names: readonly string[]): keyof typeof checkpointManifests | undefined {
  if (names.includes(checkpointManifests.own)) return 'own';
  const isOfficial = names.includes(checkpointManifests.official) && names.some((name) => officialTensors.test(name));
  return isOfficial ? 'official' : undefined;
}

/**
 * The files of the checkpoint in a folder, its manifest last.
 * @param paths - of everything in the folder, relative to it.
 * @returns undefined if it holds no checkpoint.
 */
export function chooseCheckpointFiles(paths: readonly string[]): string[] | undefined {
  const layout = checkpointLayout(paths);
  if (layout === undefined) return undefined;
  const belongs = (path: string): boolean =>
    layout === 'own' ? ownParts.test(path) : officialTensors.test(path) || officialAdapters.test(path);
  return [...paths.filter(belongs), checkpointManifests[layout]];
}

/** Folders of a repository that hold a checkpoint; the top is the empty text. */
export function checkpointFolders(paths: readonly string[]): string[] {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const end = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(end, 0));
    folders.set(folder, [...(folders.get(folder) ?? []), path.slice(end + 1)]);
  }
  return [...folders].flatMap(([folder, names]) => (checkpointLayout(names) === undefined ? [] : [folder])).sort();
}
