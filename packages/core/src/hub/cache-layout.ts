// The folder layout that the Python tools of Hugging Face keep downloaded models in.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Places of one repository in the cache: `blobs/<etag>` hold the bytes, `snapshots/<commit>/<path>` are relative links
 * to them, `refs/<branch>` hold the commit of a branch.
 */
export class CachedRepository {
  readonly folder: string;

  constructor(cacheFolder: string, repository: string) {
    this.folder = join(cacheFolder, `models--${repository.replaceAll('/', '--')}`);
  }

  blob(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  /** Where the bytes of an unfinished download wait. */
  incomplete(etag: string): string {
    return `${this.blob(etag)}.incomplete`;
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  ref(revision: string): string {
    return join(this.folder, 'refs', revision);
  }

  /** The commit of a branch, tag or commit whose snapshot is in the cache. */
  async findCommit(revision: string): Promise<string | undefined> {
    const referred = await readFile(this.ref(revision), 'utf8').catch(() => undefined);
    const commit = referred?.trim() ?? revision;
    if (!isCommit(commit)) return undefined;
    const status = await stat(this.snapshot(commit)).catch(() => undefined);
    return status?.isDirectory() ? commit : undefined;
  }
}

export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
