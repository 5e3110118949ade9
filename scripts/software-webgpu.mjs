// Makes WebGPU available without a GPU: Dawn and the tfjs backend beside the workspace, SwiftShader as the driver.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './set-up.mjs';

/** What a user installs in a project; here they are no dependencies of the workspace. */
const packages = ['webgpu@0.6.2', '@tensorflow/tfjs-backend-webgpu@4.22.0'];

/** Debian's package chromium-common brings SwiftShader and a Vulkan loader. */
const driverFolder = '/usr/lib/chromium';
const driver = join(driverFolder, 'vk_swiftshader_icd.json');

/** Fetches what is missing. Returns the environment in which memgen finds it all, or why there is none. */
export function softwareWebgpu() {
  const folder = join(root, 'node_modules', '.cache', 'webgpu');
  const modules = join(folder, 'node_modules');
  if (!existsSync(join(modules, 'webgpu'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', ...packages];
    if (!succeeds('npm', words, folder)) return { problem: `npm could not fetch ${packages.join(' and ')}` };
  }
  if (!existsSync(driver)) {
    const installed = succeeds('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium-common'], root);
    if (!installed || !existsSync(driver))
      return { problem: 'there is no software driver for Vulkan (chromium-common)' };
  }
  return {
    environment: {
      NODE_PATH: modules,
      VK_ICD_FILENAMES: driver,
      LD_LIBRARY_PATH: driverFolder,
      MEMGEN_WEBGPU_SOFTWARE: '1',
    },
  };
}

function succeeds(program, words, cwd) {
  return spawnSync(program, words, { cwd, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}
