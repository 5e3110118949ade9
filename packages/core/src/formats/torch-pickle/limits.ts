// How much a PyTorch checkpoint may ask for; every figure is far above what real ones need.

/**
 * A model of 65 536 tensors takes about 16 MiB of pickle, 2.3 million opcodes, 700 000 memo entries and 500 000
 * objects. All of these can be claimed by few bytes, so each has its own limit.
 */
export const limits = {
  /** Bytes of data.pkl once it is unpacked. */
  pickleBytes: 64 * 2 ** 20,
  opcodes: 2 ** 22,
  /** Lists, tuples, dictionaries, their pairs, tensors and storages that a pickle may make. */
  objects: 2 ** 20,
  memoEntries: 2 ** 20,
  stackEntries: 2 ** 20,
  /** Open marks at a time, which is how deep one object is written inside another. */
  openMarks: 256,
  /** Bytes of one integer; random seeds need 9. */
  integerBytes: 16,
  /** UTF-8 bytes of one text. */
  textBytes: 2 ** 20,
  /** Bytes of the module and of the name of a global, each. */
  globalBytes: 256,
  /** Dictionaries, lists and tuples inside one another. */
  nesting: 64,
  /** Values met on the way through all dictionaries; one that is shared counts each time. */
  visits: 2 ** 20,
  tensors: 2 ** 16,
  /** Characters of a flattened name. */
  nameLength: 1024,
  /** Characters of all flattened names together. */
  allNames: 2 ** 24,
  /** PyTorch itself goes up to 64, models to 5. */
  dimensions: 16,
  /** Members of the zip file: one per storage and a few more. */
  zipMembers: 2 ** 17,
  /** Unpacked bytes of all members together, as a multiple of the file. PyTorch does not compress at all. */
  unpackedRatio: 16,
  /** Bytes to be read for every tensor once, as a multiple of the file; above 1 where tensors share a storage. */
  readRatio: 64,
} as const;

/** What a file may claim by a ratio: small files may be as generous as one of 1 MiB. */
export function allowance(fileSize: number, ratio: number): number {
  return Math.max(fileSize, 2 ** 20) * ratio;
}
