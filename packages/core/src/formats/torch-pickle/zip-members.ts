// The zip file around a PyTorch checkpoint: its directory, checked, and the bytes of its members.
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { MemGenError } from '@memgen/common';
import yauzl from 'yauzl';
import type { RangedFile } from '../ranged-file.js';
import { allowance, limits } from './limits.js';
import { quote, torchPickleError, type Problem } from './problem.js';
import { RangedFileReader } from './ranged-file-reader.js';

/** One member and its place in the file. */
export interface ZipMember {
  /** Without the folder that all members lie in, e.g. `data/0`. */
  readonly name: string;
  /** Of the first stored byte, from the start of the file. */
  readonly offset: number;
  /** In the file. */
  readonly storedLength: number;
  /** Unpacked; PyTorch stores without compression, other tools may not. */
  readonly byteLength: number;
  readonly deflated: boolean;
}

const inflate = promisify(inflateRaw);
const stored = 0;
const deflated = 8;
/** Of a member in the directory, without its name. */
const shortestRecord = 46;

/**
 * Reads the directory. All members lie in one folder, under clean and different names, in ranges that do not overlap;
 * together they unpack to no more than a multiple of the file. Zip64 is understood. Checksums are not compared: PyTorch
 * can be told to leave them out.
 *
 * @returns the members by their names inside of the folder.
 * @throws MemGenError `torch-pickle-archive`, `torch-pickle-limit`, `file-truncated`.
 */
export async function readZipMembers(file: RangedFile): Promise<ReadonlyMap<string, ZipMember>> {
  const fail = (problem: Problem): MemGenError => torchPickleError(file.path, problem);
  try {
    const archive = await yauzl.fromRandomAccessReaderPromise(new RangedFileReader(file), file.size, {
      autoClose: false,
      strictFileNames: true,
    });
    if (archive.entryCount > limits.zipMembers || archive.entryCount * shortestRecord > file.size) {
      throw fail({ kind: 'limit', message: 'the zip file claims too many members', got: String(archive.entryCount) });
    }
    const folder = new TorchFolder(fail);
    for await (const entry of archive.eachEntry()) await folder.add(archive, entry);
    folder.checkSizes(file.size);
    return folder.members;
  } catch (error) {
    if (MemGenError.isInstance(error)) throw error;
    const got = quote(error instanceof Error ? error.message : String(error));
    throw fail({ kind: 'archive', message: 'the zip file is broken', got, cause: error });
  }
}

/** All bytes of a member; what is inflated may not be longer than declared. */
export async function readMember(file: RangedFile, member: ZipMember): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await file.read(member.offset, member.storedLength);
  if (!member.deflated) return bytes;
  const fail = (got: string, cause?: unknown): MemGenError =>
    torchPickleError(`${file.path}, ${member.name}`, {
      kind: 'archive',
      message: 'a member of the zip file cannot be unpacked',
      got,
      expected: `${member.byteLength} bytes`,
      cause,
    });
  let unpacked: Buffer;
  try {
    unpacked = await inflate(bytes, { maxOutputLength: Math.max(member.byteLength, 1) });
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error), error);
  }
  if (unpacked.length !== member.byteLength) throw fail(`${unpacked.length} bytes`);
  // A copy, aligned for elements of any size.
  return new Uint8Array(unpacked);
}

class TorchFolder {
  readonly members = new Map<string, ZipMember>();
  private readonly ranges: { name: string; start: number; end: number }[] = [];
  private root: string | undefined;

  constructor(private readonly fail: (problem: Problem) => MemGenError) {}

  async add(archive: yauzl.ZipFile, entry: yauzl.Entry): Promise<void> {
    const name = this.insideFolder(entry.fileName);
    const { compressedSize, uncompressedSize, compressionMethod: method } = entry;
    const refused = entry.isEncrypted() ? 'encrypted' : `compressed by method ${method}`;
    if (entry.isEncrypted() || (method !== stored && method !== deflated)) {
      throw this.fail({
        kind: 'archive',
        message: `the member ${quote(name)} cannot be read`,
        got: refused,
        expected: 'stored or deflated, as torch.save and zip do it',
        hint: 'unpack the file and save the checkpoint again',
      });
    }
    const { fileDataStart: offset } = await archive.readLocalFileHeaderPromise(entry, { minimal: true });
    this.ranges.push({ name, start: entry.relativeOffsetOfLocalHeader, end: offset + compressedSize });
    // A folder by itself; nothing asks for it.
    if (name.endsWith('/')) return;
    if (this.members.has(name)) {
      throw this.fail({ kind: 'archive', message: `the zip file holds ${quote(name)} twice` });
    }
    this.members.set(name, {
      name,
      offset,
      storedLength: compressedSize,
      byteLength: uncompressedSize,
      deflated: method === deflated,
    });
  }

  checkSizes(fileSize: number): void {
    this.ranges.sort((a, b) => a.start - b.start);
    for (const [i, { name, start }] of this.ranges.entries()) {
      const before = this.ranges[i - 1];
      if (before === undefined || before.end <= start) continue;
      throw this.fail({
        kind: 'archive',
        message: `the members ${quote(before.name)} and ${quote(name)} of the zip file overlap`,
      });
    }
    let unpacked = 0;
    for (const { byteLength } of this.members.values()) unpacked += byteLength;
    const most = allowance(fileSize, limits.unpackedRatio);
    if (unpacked > most) {
      throw this.fail({
        kind: 'limit',
        message: 'the zip file unpacks to far more than its own size',
        got: `${unpacked} bytes from a file of ${fileSize}`,
        expected: `at most ${most}`,
      });
    }
  }

  /** The name without the folder; yauzl has refused backslashes, `..` and absolute names already. */
  private insideFolder(fileName: string): string {
    const [root, ...rest] = fileName.split('/');
    this.root ??= root;
    const middle = rest.slice(0, -1);
    const clean = !middle.some((part) => part === '' || part === '.') && rest.at(-1) !== '.' && !hasControl(fileName);
    if (rest.length > 0 && root === this.root && root !== '.' && clean) return rest.join('/');
    throw this.fail({
      kind: 'archive',
      message: 'the zip file is not laid out as torch.save does it',
      got: `a member ${quote(fileName)}`,
      expected: 'all members in one folder, by plain names',
    });
  }
}

function hasControl(text: string): boolean {
  return Array.from(text).some((character) => character < ' ' || character === '\u007f');
}
