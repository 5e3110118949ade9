// Sets up the tensorflow backend for this user: plan what is needed, then do it aside and move it into place.
import { access, chmod, mkdir, mkdtemp, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from '@memgen/common';
import { MemGenError, silentLogger, toFileError } from '@memgen/common';
import { cacheFolder } from '../cache-folder.js';
import { engineVersion } from '../engines/engine-version.js';
import { engineName } from '../engines/tensorflow-places.js';
import { checkAddon } from './check-addon.js';
import { compileAddon } from './compile-addon.js';
import { requireCompiler } from './compiler.js';
import { fetchEnginePackage, tfjsNodeFolder, tfjsNodeVersion } from './engine-package.js';
import { extractWheel } from './extract-wheel.js';
import { downloadWheel, requireWheel } from './obtain-wheel.js';
import type { Wheel } from './wheels.js';
import { wheelsFor } from './wheels.js';

/** What `installTensorflow` would do on this machine. */
export interface TensorflowInstallPlan {
  /** Where the engine will live. */
  folder: string;
  /** Already there and complete: nothing to do. */
  present: boolean;
  wheels: Wheel[];
  /** A wheel on this machine that stands for the first of `wheels`. */
  from: string | undefined;
  downloadBytes: number;
  /** About what stays on the disk. */
  diskBytes: number;
}

export interface TensorflowInstallOptions {
  gpu?: boolean;
  /** Path of a wheel that was downloaded already. */
  from?: string;
  environment?: NodeJS.ProcessEnv;
}

/** Bytes that the unpacked libraries take for each byte of wheel, rounded up; the CUDA libraries pack badly. */
const unpackedFactor = { cpu: 4, gpu: 2.5 };

/** Says what an installation needs. Throws `MemGenError` (`backend-platform`) where it is not possible. */
export async function planTensorflowInstall({
  gpu = false,
  from,
  environment = process.env,
}: TensorflowInstallOptions = {}): Promise<TensorflowInstallPlan> {
  const wheels = wheelsFor({ platform: process.platform, arch: process.arch, gpu, glibc: hasGlibc() });
  const folder = join(cacheFolder({ environment }), 'engines', engineName({ gpu, version: engineVersion }));
  const present = await access(join(folder, 'engine.json')).then(
    () => true,
    () => false,
  );
  const total = wheels.reduce((sum, wheel) => sum + wheel.size, 0);
  const downloadBytes = present ? 0 : from === undefined ? total : total - wheels[0]!.size;
  return {
    folder,
    present,
    wheels,
    from,
    downloadBytes,
    diskBytes: present ? 0 : (gpu ? unpackedFactor.gpu : unpackedFactor.cpu) * total,
  };
}

/** What the installation is doing, for a progress display. */
export type TensorflowInstallProgress = (step: string, doneBytes?: number, totalBytes?: number) => void;

export interface TensorflowInstallRunOptions {
  environment?: NodeJS.ProcessEnv;
  onProgress?: TensorflowInstallProgress;
  logger?: Logger;
  /** Stops before the next step, or in the middle of a download, which a later call continues. */
  signal?: AbortSignal;
}

/**
 * Carries out a plan: fetches tfjs-node and the wheels, unpacks, compiles, checks in a process of its own, and only then
 * moves the folder into place. Downloads are kept until then, so a second try goes on where the first stopped. Throws
 * `MemGenError` with a `backend-…` code.
 */
export async function installTensorflow(
  plan: TensorflowInstallPlan,
  {
    environment = process.env,
    onProgress = () => undefined,
    logger = silentLogger,
    signal,
  }: TensorflowInstallRunOptions = {},
): Promise<void> {
  if (plan.present) return;
  const step = (name: string): void => {
    if (signal?.aborted === true) throw interrupted();
    onProgress(name);
  };
  await requireCompiler(environment);
  if (plan.from !== undefined) await requireWheel(plan.wheels[0]!, plan.from);
  const engines = dirname(plan.folder);
  const downloads = join(cacheFolder({ environment }), 'downloads');
  let aside: string | undefined;
  try {
    await mkdir(engines, { recursive: true });
    await requireSpace(engines, plan);
    aside = await mkdtemp(join(engines, '.installing-'));
    step('fetching @tensorflow/tfjs-node with npm');
    await fetchEnginePackage(aside);
    const packageFolder = tfjsNodeFolder(aside);
    const downloaded: string[] = [];
    for (const [index, wheel] of plan.wheels.entries()) {
      const given = index === 0 ? plan.from : undefined;
      let path = given;
      if (path === undefined) {
        step(`downloading ${wheel.file}`);
        const report = (done: number): void => {
          onProgress(`downloading ${wheel.file}`, done, wheel.size);
        };
        path = await downloadWheel(wheel, { downloads, environment, onProgress: report, signal });
        downloaded.push(path);
      }
      step(`unpacking ${basename(path)}`);
      await extractWheel(path, join(packageFolder, 'deps'));
    }
    step('compiling the addon');
    await compileAddon({ packageFolder, environment });
    step('checking that it computes');
    const { version } = await checkAddon(packageFolder);
    const manifest = { tfjsNode: tfjsNodeVersion, libtensorflow: version, wheels: plan.wheels };
    await writeFile(join(aside, 'engine.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    // An unfinished or broken folder of the same name has no manifest and gives way.
    await rm(plan.folder, { recursive: true, force: true });
    await chmod(aside, 0o755);
    await rename(aside, plan.folder);
    for (const path of downloaded) await rm(path, { force: true });
    logger.debug(`installed libtensorflow ${version} in ${plan.folder}`);
  } catch (error) {
    throw signal?.aborted === true ? interrupted() : toFileError(error, 'set up the tensorflow backend', engines);
  } finally {
    if (aside !== undefined) await rm(aside, { recursive: true, force: true });
  }
}

function interrupted(): MemGenError {
  return new MemGenError({
    code: 'backend-interrupted',
    message: 'the installation was interrupted; nothing was changed',
    hint: 'run it again: a started download goes on where it stopped',
  });
}

async function requireSpace(folder: string, plan: TensorflowInstallPlan): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const needed = plan.downloadBytes + plan.diskBytes;
  if (free >= needed) return;
  throw new MemGenError({
    code: 'backend-space',
    where: folder,
    message: 'there is not enough room on the disk',
    got: `${Math.round(free / 1e6)} MB free`,
    expected: `${Math.round(needed / 1e6)} MB`,
    hint: 'free some, or name a folder on another disk in MEMGEN_CACHE',
  });
}

/** Node reports its C library on Linux: musl has no such entry. */
function hasGlibc(): boolean {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) return false;
  const { header } = report;
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header;
}
