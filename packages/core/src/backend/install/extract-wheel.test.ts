// Unpacking wheels that are built here byte by byte, good and hostile.
import { access, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { destinationOf, extractWheel } from './extract-wheel.js';

interface Member {
  name: string;
  data: Buffer;
  /** The size that the archive claims; the real one if absent. */
  claims?: number;
}

/** A zip archive with deflated members. */
function zip(members: Member[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, claims = data.length } of members) {
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claims, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const file = Buffer.concat([Buffer.from('PK\u0003\u0004'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), common, tail, Buffer.from(name)]),
    );
    files.push(file);
    offset += file.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, entries, end]);
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-wheel-'));
});

async function extract(members: Member[], cut = 0): Promise<string[]> {
  const archive = zip(members);
  await writeFile(join(folder, 'a.whl'), archive.subarray(0, archive.length - cut));
  return extractWheel(join(folder, 'a.whl'), join(folder, 'deps'));
}

const library = { name: 'tensorflow/libtensorflow_cc.so.2', data: Buffer.from('library '.repeat(1000)) };
const header = { name: 'tensorflow/include/tensorflow/c/c_api.h', data: Buffer.from('header') };

describe('extractWheel', () => {
  it('writes the libraries and headers and nothing else', async () => {
    const other = { name: 'tensorflow/python/big.so', data: Buffer.from('no') };
    expect(await extract([other, library, header])).toEqual([
      'lib/libtensorflow_cc.so.2',
      'include/tensorflow/c/c_api.h',
    ]);
    expect(await readFile(join(folder, 'deps/lib/libtensorflow_cc.so.2'))).toEqual(library.data);
    await expect(access(join(folder, 'deps/python'))).rejects.toThrow();
  });

  it('refuses a truncated archive and one without libraries', async () => {
    await expect(extract([library], 30)).rejects.toMatchObject({ code: 'backend-wheel' });
    await expect(extract([{ name: 'README', data: Buffer.from('x') }])).rejects.toThrow('none of the files');
  });

  it('refuses a member that lies about its size', async () => {
    await expect(extract([{ ...library, claims: 10 }])).rejects.toMatchObject({ code: 'backend-wheel' });
    await expect(extract([{ ...library, claims: 3_000_000_000 }])).rejects.toThrow('claims 3000000000 bytes');
  });

  it('refuses a name that leads out of the folder', async () => {
    const escape = { name: 'tensorflow/include/tensorflow/c/../../../../../evil.h', data: Buffer.from('x') };
    await expect(extract([escape])).rejects.toMatchObject({ code: 'backend-wheel' });
    await expect(access(join(folder, 'evil.h'))).rejects.toThrow();
  });
});

describe('destinationOf', () => {
  it.each([
    ['tensorflow/libtensorflow_framework.2.dylib', 'lib/libtensorflow_framework.2.dylib'],
    ['tensorflow/include/xla/tsl/c/tsl_status.h', 'include/xla/tsl/c/tsl_status.h'],
    ['tensorflow/include/tsl/platform/ctstring.h', 'include/tsl/platform/ctstring.h'],
    ['nvidia/cudnn/lib/libcudnn.so.9', 'nvidia/cudnn/lib/libcudnn.so.9'],
    ['nvidia/cudnn/include/cudnn.h', undefined],
    ['tensorflow/libtensorflow_cc.so.2.bak', undefined],
  ])('sends %s to %s', (member, destination) => {
    expect(destinationOf(member)).toBe(destination);
  });
});
