import { Random } from '@memgen/common';
import { describe, expect, it } from 'vitest';
import { openTorchPickle } from './index.js';
import * as p from './pickle-bytes.test-helper.js';
import { useScratchFile } from './scratch-folder.test-helper.js';
import {
  bytesOf,
  checkpointBytes,
  checkpointMembers,
  zipBytes,
  type Checkpoint,
  type Member,
} from './zip-bytes.test-helper.js';

const write = useScratchFile();

const six = bytesOf(Float32Array.of(1, 2, 3, 4, 5, 6));
const sound: Checkpoint = { value: p.dict({ a: p.tensor({ elements: 6, shape: [2, 3] }) }), storages: [six] };

/** Opens a file and reads all that it offers, in every way. */
async function readAll(bytes: Uint8Array): Promise<void> {
  const file = await openTorchPickle(await write(bytes));
  try {
    for (const name of file.tensors.keys()) {
      await file.readRaw(name);
      await file.readFloat32(name).catch(expectMemGenError);
      await file.readNumbers(name).catch(expectMemGenError);
    }
  } finally {
    await file.close();
  }
}

function expectMemGenError(error: unknown): void {
  expect(error).toMatchObject({ name: 'MemGenError' });
}

async function expectRefusal(bytes: Uint8Array, code: string, message: RegExp): Promise<void> {
  const failure = await readAll(bytes).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'MemGenError', code });
  expect(String(failure)).toMatch(message);
}

/** The sound checkpoint with lies about one of its members. */
function lie(name: string, claims: Member['claims'], checkpoint = sound): Buffer {
  return zipBytes(
    checkpointMembers(checkpoint).map((member) => (member.name === name ? { ...member, claims } : member)),
  );
}

const member = (name: string, data: Uint8Array = new Uint8Array(4)): Member => ({ name, data });
const beside = (...others: Member[]): Buffer => checkpointBytes({ ...sound, others });

describe('a file of another kind', () => {
  const legacy = Buffer.from('80028a0a6cfc9c46f9206aa850192e8002', 'hex');
  it.each<[what: string, bytes: Uint8Array, code: string, message: RegExp]>([
    ['an empty one', Buffer.alloc(0), 'archive', /an empty file/],
    ['a short one', Buffer.from('PK'), 'archive', /first bytes 504b/],
    ['the format before PyTorch 1.6', legacy, 'legacy', /before 1\.6[^]*save it again/],
    ['a bare pickle', p.pickle(p.dict({})), 'archive', /a pickle that torch\.save has not written/],
    ['GGUF', Buffer.from('GGUF\x03\0\0\0'), 'archive', /GGUF/],
    ['safetensors', Buffer.from('\x02\0\0\0\0\0\0\0{}'), 'archive', /safetensors/],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1'), 'archive', /git lfs pull/],
    ['a zip file of something else', zipBytes([member('docs/readme')]), 'archive', /no data\.pkl[^]*readme/],
    ['an empty zip file', Buffer.concat([Buffer.from('PK\x03\x04'), zipBytes([])]), 'archive', /empty zip/],
    ['TorchScript', beside(member('model/constants.pkl')), 'archive', /TorchScript/],
    ['big-endian numbers', checkpointBytes({ ...sound, byteOrder: 'big' }), 'archive', /"big"/],
    ['a long byte order', checkpointBytes({ ...sound, byteOrder: 'x'.repeat(99) }), 'archive', /99 bytes/],
  ])('%s is refused by name', async (_, bytes, code, message) => {
    await expectRefusal(bytes, `torch-pickle-${code}`, message);
  });
});

describe('a zip file that plays tricks', () => {
  const data = Buffer.alloc(3 * 2 ** 20);
  const zeros = { value: p.dict({ a: p.tensor({ elements: data.length / 4, shape: [data.length / 4] }) }) };
  const bomb = (count: number) =>
    checkpointBytes({ ...zeros, storages: Array<Buffer>(count).fill(data), deflate: true });
  const cases: [what: string, bytes: Uint8Array, code: string, message: RegExp][] = [
    ['a parent folder', beside(member('model/../../etc/passwd')), 'archive', /invalid relative path/],
    ['an absolute name', beside(member('/etc/passwd')), 'archive', /absolute path/],
    ['a drive', beside(member('C:/windows')), 'archive', /absolute path/],
    ['a backslash', beside(member('model\\data\\0')), 'archive', /invalid characters/],
    ['a current folder', beside(member('model/./data/0')), 'archive', /not laid out/],
    ['an empty folder name', beside(member('model//data/0')), 'archive', /not laid out/],
    ['a control character', beside(member('model/da\0ta')), 'archive', /not laid out/],
    ['a member outside of the folder', beside(member('other/data/1')), 'archive', /not laid out[^]*other/],
    ['a member in no folder', beside(member('model')), 'archive', /not laid out/],
    ['a member twice', beside(member('model/data/0', six)), 'archive', /"data\/0" twice/],
    ['a member at the place of another', lie('model/data/0', { offset: 0 }), 'archive', /overlap/],
    ['a member that begins in another', lie('model/version', { offset: 1 }), 'archive', /broken[^]*signature/],
    ['a member past the end', lie('model/data/0', { offset: 2 ** 31 }), 'truncated', /ends too early/],
    [
      'more bytes than there are',
      lie('model/data/0', { storedLength: 2 ** 30, byteLength: 2 ** 30 }),
      'archive',
      /overflows/,
    ],
    ['two sizes for a stored member', lie('model/data/0', { byteLength: 23 }), 'archive', /size mismatch/],
    ['encryption', lie('model/data/0', { flags: 1, storedLength: 36 }), 'archive', /encrypted/],
    ['strong encryption', lie('model/data/0', { flags: 0x41 }), 'archive', /strong encryption/],
    ['bzip2', lie('model/data/0', { method: 12 }), 'archive', /method 12/],
    [
      'more members than bytes',
      zipBytes(checkpointMembers(sound), { zip64: true, count: 2 ** 40 }),
      'limit',
      /1099511627776/,
    ],
    ['one member too many', zipBytes(checkpointMembers(sound), { count: 5 }), 'truncated', /ends too early/],
    ['a bomb of many members', bomb(8), 'limit', /unpacks to far more/],
    [
      'a bomb of one member',
      lie('model/data.pkl', { byteLength: 2 ** 31 }, { ...sound, deflate: true }),
      'limit',
      /unpacks/,
    ],
    [
      'more than is declared',
      lie('model/data.pkl', { byteLength: 50 }, { ...sound, deflate: true }),
      'archive',
      /unpacked/,
    ],
    [
      'less than is declared',
      lie('model/data.pkl', { byteLength: 5000 }, { ...sound, deflate: true }),
      'archive',
      /5000/,
    ],
    ['what does not inflate', lie('model/data.pkl', { method: 8 }), 'archive', /cannot be unpacked/],
  ];
  it.each(cases)('by %s is refused', async (_, bytes, code, message) => {
    await expectRefusal(bytes, code === 'truncated' ? 'file-truncated' : `torch-pickle-${code}`, message);
  });

  it('by tensors that all read the same large storage is refused', async () => {
    const elements = 2 ** 18;
    const names = Array.from({ length: 70 }, (_, i) => [`${i}`, p.tensor({ elements, shape: [elements] })] as const);
    const storages = [new Uint8Array(4 * elements)];
    const bytes = checkpointBytes({ value: p.dict(Object.fromEntries(names)), storages });
    await expectRefusal(bytes, 'torch-pickle-limit', /share their storages/);
  });

  it('by a modest compression is read', async () => {
    await expect(readAll(bomb(1))).resolves.toBeUndefined();
  });
});

describe('a checkpoint', () => {
  const rich: Checkpoint = {
    value: p.dict({
      model: p.stateDict({
        w: p.tensor({ elements: 6, shape: [3, 2], strides: [1, 3] }),
        b: p.tensor({ type: 'HalfStorage', key: '1', elements: 4, shape: [3], offset: 1 }),
        ids: p.tensor({ type: 'LongStorage', key: '2', elements: 2, shape: [2] }),
      }),
      step: p.int(70_000),
      rate: p.float(0.5),
      sizes: p.list(p.int(1), p.text('two'), p.none),
    }),
    storages: [six, bytesOf(Uint16Array.of(0, 1, 2, 3)), bytesOf(BigInt64Array.of(1n, -1n))],
  };
  const kinds: [what: string, bytes: Buffer][] = [
    ['stored', checkpointBytes(rich)],
    ['deflated', checkpointBytes({ ...rich, deflate: true })],
    ['in zip64', zipBytes(checkpointMembers(rich), { zip64: true })],
  ];

  it.each(kinds)('%s, cut anywhere, is refused', async (_, bytes) => {
    await readAll(bytes);
    for (let length = 0; length < bytes.length; length += 64) {
      await expect(readAll(bytes.subarray(0, length))).rejects.toMatchObject({ name: 'MemGenError' });
    }
    await expect(readAll(bytes.subarray(0, -1))).rejects.toMatchObject({ name: 'MemGenError' });
  });

  it.each(kinds)('%s, with changed bytes, never fails in another way', async (kind, bytes) => {
    const random = Random.fromSeed(4).fork(kind);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const changed = Uint8Array.from(bytes);
      for (let changes = random.int(4); changes >= 0; changes--) changed[random.int(bytes.length)] = random.int(256);
      await readAll(changed).catch((error: unknown) => {
        expectMemGenError(error);
        refused++;
      });
    }
    // Otherwise the changes would have missed everything that matters.
    expect(refused).toBeGreaterThan(100);
  });
});
