// Names of models on the hub: organisation/name, perhaps followed by a folder or file inside of the repository.
import { MemGenError } from '@memgen/common';

/** A place on the hub. */
export interface HubLocation {
  /** `organisation/name`, or the single name of an old model. */
  repository: string;
  /** Folder or `.gguf` file inside of the repository; empty for its top. */
  inside: string;
}

/** The rules of the hub: at most 96 characters, letters, digits, `-`, `_`, `.`, none of them doubled or at an end. */
const part = /^(?!.*(--|\.\.))[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;

/** Folders and files inside of a repository: checkpoints of the MemGen paper lie in folders such as `pn=1_pl=8`. */
const insidePart = /^(?!.*\.\.)[\w=](?:[\w.=+-]{0,253}[\w=])?$/;

/** The place that a source means on the hub; undefined if it can only be a path of this machine. */
export function parseHubLocation(source: string): HubLocation | undefined {
  const parts = source.split('/');
  const [first = '', second, ...rest] = parts;
  const isRepository = part.test(first) && (second === undefined || part.test(second));
  if (!isRepository || !rest.every((name) => insidePart.test(name))) return undefined;
  // A file lies inside of a repository, so that a mistyped path to one is not taken for a model of that name.
  if (rest.length === 0 && /\.(gguf|safetensors|json|ya?ml)$/.test(source)) return undefined;
  return { repository: second === undefined ? first : `${first}/${second}`, inside: rest.join('/') };
}

/** @throws MemGenError `hub-revision` for what cannot be a branch, tag or commit. */
export function checkRevision(revision: string): string {
  const parts = revision.split('/');
  if (parts.every((name) => /^[\w][\w.+-]*$/.test(name) && !name.includes('..'))) return revision;
  throw new MemGenError({
    code: 'hub-revision',
    message: 'this cannot be a revision',
    got: JSON.stringify(revision),
    expected: 'a branch, tag or commit, for example main',
  });
}
