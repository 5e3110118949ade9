// What is accepted as a wheel given by hand.
import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireWheel } from './obtain-wheel.js';

const wheel = {
  project: 'tensorflow-cpu',
  file: 'tensorflow_cpu-2.20.0-cp311-cp311-manylinux_2_17_x86_64.whl',
  size: 3,
  sha256: createHash('sha256').update('abc').digest('hex'),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memgen-from-'));
});

describe('requireWheel', () => {
  it('accepts the published file and the same for another Python', async () => {
    await writeFile(join(folder, wheel.file), 'abc');
    await requireWheel(wheel, join(folder, wheel.file));
    const other = wheel.file.replaceAll('cp311', 'cp313');
    await writeFile(join(folder, other), 'other content');
    await requireWheel(wheel, join(folder, other));
  });

  it('refuses changed content, another version, another platform and a missing file', async () => {
    await writeFile(join(folder, wheel.file), 'abd');
    await expect(requireWheel(wheel, join(folder, wheel.file))).rejects.toMatchObject({ code: 'backend-hash' });
    for (const name of [wheel.file.replace('2.20.0', '2.21.0'), wheel.file.replace('x86_64', 'aarch64'), 'a.zip']) {
      await expect(requireWheel(wheel, join(folder, name))).rejects.toThrow('this wheel does not fit');
    }
    const missing = join(folder, wheel.file.replaceAll('cp311', 'cp312'));
    await expect(requireWheel(wheel, missing)).rejects.toThrow('there is no such file');
  });
});
