// Takes the members we need out of a Python wheel, which is a zip file.
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { MemGenError } from '@memgen/common';
import yauzl from 'yauzl';

/** libtensorflow_cc.so.2 of the GPU build is the largest member, 1.02 GB. */
const largestMember = 2_000_000_000;

const library = /^tensorflow\/(libtensorflow_(?:cc|framework)\.(?:so\.2|2\.dylib))$/;
const header =
  /^tensorflow\/(include\/(?:tensorflow\/c\/.*|tensorflow\/core\/platform\/ctstring[^/]*|(?:(?:tensorflow|xla)\/)?tsl\/(?:c|platform)\/[^/]*)\.h)$/;
const cuda = /^(nvidia\/[^/]+\/(?:lib\/[^/]+|bin\/ptxas|nvvm\/libdevice\/[^/]+))$/;

/** Where a wheel's member belongs under `deps`, or undefined if it is not needed. */
export function destinationOf(member: string): string | undefined {
  const libraryName = library.exec(member)?.[1];
  if (libraryName !== undefined) return `lib/${libraryName}`;
  return header.exec(member)?.[1] ?? cuda.exec(member)?.[1];
}

/**
 * Extracts members into `folder`: libraries and headers, or those to which `choose` gives a relative path. Returns the
 * paths that were written. Throws `MemGenError` (`backend-wheel`) for a broken archive, a member of absurd size or an
 * escaping name.
 */
export async function extractWheel(
  path: string,
  folder: string,
  choose: (member: string) => string | undefined = destinationOf,
): Promise<string[]> {
  const written: string[] = [];
  try {
    const archive = await openArchive(path);
    try {
      for await (const entry of entriesOf(archive)) {
        const destination = choose(entry.fileName);
        if (destination === undefined) continue;
        if (entry.uncompressedSize > largestMember) {
          throw new Error(`${entry.fileName} claims ${entry.uncompressedSize} bytes`);
        }
        const target = join(folder, destination);
        await mkdir(dirname(target), { recursive: true });
        await pipeline(await openEntry(archive, entry), createWriteStream(target));
        written.push(destination);
      }
    } finally {
      archive.close();
    }
    if (written.length === 0) throw new Error('it holds none of the files that are needed');
  } catch (cause) {
    throw new MemGenError({
      code: 'backend-wheel',
      where: path,
      message: 'the wheel cannot be unpacked',
      got: cause instanceof Error ? cause.message : String(cause),
      expected: 'an intact wheel and room on the disk',
      cause,
    });
  }
  return written;
}

function openArchive(path: string): Promise<yauzl.ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, archive) => {
      if (error) reject(error);
      else resolve(archive);
    });
  });
}

function openEntry(archive: yauzl.ZipFile, entry: yauzl.Entry): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    archive.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else resolve(stream);
    });
  });
}

/** The archive's entries one by one; the next is read only when asked for. */
async function* entriesOf(archive: yauzl.ZipFile): AsyncGenerator<yauzl.Entry> {
  for (;;) {
    const entry = await new Promise<yauzl.Entry | undefined>((resolve, reject) => {
      const finish = (result: yauzl.Entry | Error | undefined): void => {
        archive.removeAllListeners();
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      archive.once('entry', finish).once('error', finish);
      archive.once('end', () => {
        finish(undefined);
      });
      archive.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}
