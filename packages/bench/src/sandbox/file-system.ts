// The file system in memory: what a program writes is limited, and gone before the next one; the rest cannot be changed.
import type { EmscriptenModule, MemoryNode, NodeOperations } from './worker-types.js';

/** Error numbers of WASI. */
const [noPermission, noSpace] = [2, 51];
/** Bytes of a verdict. */
const replyLimit = 16 * 2 ** 20;
/** Files and folders that one program may make. */
const nodeLimit = 10_000;

/**
 * Fixes the files that are there now: programs may read them, make others beside them and write at most `byteLimit`
 * bytes. Only the file at `replyPath`, which must be there, may be written over besides.
 *
 * @returns removes what was made since.
 */
export function protectFiles({ FS, MEMFS }: EmscriptenModule, byteLimit: number, replyPath: string): () => void {
  /** What programs made, and its size. */
  const made = new Map<MemoryNode, number>();
  const reply = FS.lookupPath(replyPath).node;
  let bytes = 0;
  const refuse = (code: number): never => {
    throw new FS.ErrnoError(code);
  };
  const mustBeMade = (node: MemoryNode | undefined): void => {
    if (node !== undefined && !made.has(node)) refuse(noPermission);
  };
  const take = (node: MemoryNode, size: number): void => {
    if (node === reply) {
      if (size > replyLimit) refuse(noSpace);
      return;
    }
    mustBeMade(node);
    const before = made.get(node) ?? 0;
    if (bytes + size - before > byteLimit) refuse(noSpace);
    bytes += Math.max(0, size - before);
    made.set(node, Math.max(size, before));
  };

  const { createNode } = MEMFS;
  MEMFS.createNode = (parent, name, mode, device) => {
    if (made.size >= nodeLimit) refuse(noSpace);
    const node = createNode(parent, name, mode, device);
    made.set(node, 0);
    return node;
  };
  const { write } = MEMFS.stream_ops;
  const limitedWrite: typeof write = (stream, buffer, offset, length, position, canOwn) => {
    take(stream.node, position + length);
    return write(stream, buffer, offset, length, position, canOwn);
  };
  MEMFS.stream_ops.write = limitedWrite;
  MEMFS.ops_table.file.stream.write = limitedWrite;
  for (const { node } of [MEMFS.ops_table.file, MEMFS.ops_table.dir, MEMFS.ops_table.link]) {
    const { setattr } = node;
    node.setattr = (target, attributes) => {
      if (attributes.size === undefined) mustBeMade(target);
      else take(target, attributes.size);
      setattr(target, attributes);
    };
  }
  protectEntries(MEMFS.ops_table.dir.node, mustBeMade);

  const streams = [...FS.streams];
  const folder = FS.currentPath;
  return () => {
    for (const node of made.keys()) {
      FS.hashRemoveNode(node);
      if (node.parent.contents?.[node.name] === node) Reflect.deleteProperty(node.parent.contents, node.name);
    }
    made.clear();
    bytes = 0;
    FS.streams.length = 0;
    FS.streams.push(...streams);
    FS.currentPath = folder;
  };
}

/** Entries that were there stay: not removed, moved or replaced. */
function protectEntries(operations: NodeOperations, mustBeMade: (node: MemoryNode | undefined) => void): void {
  const { unlink, rmdir, rename } = operations;
  operations.unlink = (parent, name) => {
    mustBeMade(parent.contents?.[name]);
    unlink(parent, name);
  };
  operations.rmdir = (parent, name) => {
    mustBeMade(parent.contents?.[name]);
    rmdir(parent, name);
  };
  operations.rename = (node, folder, name) => {
    mustBeMade(node);
    mustBeMade(folder.contents?.[name]);
    rename(node, folder, name);
  };
}
