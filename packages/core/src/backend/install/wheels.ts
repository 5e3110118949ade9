// The Python wheels that hold libtensorflow for each platform: name, size and hash are fixed here.
import { MemGenError } from '@memgen/common';

/** One file of the Python package index. */
export interface Wheel {
  /** Project name on the index. */
  project: string;
  file: string;
  /** Bytes. */
  size: number;
  sha256: string;
}

const linuxX64: Wheel = {
  project: 'tensorflow-cpu',
  file: 'tensorflow_cpu-2.20.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
  size: 258_876_263,
  sha256: 'cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780',
};

const linuxArm64: Wheel = {
  project: 'tensorflow',
  file: 'tensorflow-2.20.0-cp311-cp311-manylinux_2_17_aarch64.manylinux2014_aarch64.whl',
  size: 259_465_882,
  sha256: '3e9568c8efcb05c0266be223e3269c62ebf7ad3498f156438311735f6fa5ced5',
};

const macArm64: Wheel = {
  project: 'tensorflow',
  file: 'tensorflow-2.20.0-cp311-cp311-macosx_12_0_arm64.whl',
  size: 200_507_363,
  sha256: '5f964016c5035d09b85a246a6b739be89282a7839743f3ea63640224f0c63aee',
};

const linuxX64Gpu: Wheel = {
  project: 'tensorflow',
  file: 'tensorflow-2.20.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
  size: 620_570_129,
  sha256: '481499fd0f824583de8945be61d5e827898cdaa4f5ea1bc2cc28ca2ccff8229e',
};

/** The CUDA 12 and cuDNN 9 libraries that the GPU build was compiled against. */
const cuda: Wheel[] = [
  nvidia('cublas', '12.5.3.2', 363_313_169, 'ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b'),
  nvidia('cuda_cupti', '12.5.82', 13_811_507, 'bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953'),
  nvidia('cuda_nvcc', '12.5.82', 22_468_537, 'b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0'),
  nvidia('cuda_nvrtc', '12.5.82', 24_873_108, '3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd'),
  nvidia('cuda_runtime', '12.5.82', 895_707, '3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115'),
  nvidia('cudnn', '9.3.0.75', 577_163_502, '9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d'),
  nvidia('cufft', '11.2.3.61', 192_524_114, '9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8'),
  nvidia('curand', '10.3.6.82', 56_309_107, '2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536'),
  nvidia('cusolver', '11.6.3.83', 130_341_232, '93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b'),
  nvidia('cusparse', '12.5.1.3', 217_558_979, '016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752'),
  {
    project: 'nvidia-nccl-cu12',
    file: 'nvidia_nccl_cu12-2.25.1-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    size: 201_352_353,
    sha256: '362aed5963fb9ea2ed2f264409baae30143498fd0e5c503aeaa1badd88cdc54a',
  },
  nvidia('nvjitlink', '12.5.82', 21_298_879, 'f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212'),
];

function nvidia(part: string, version: string, size: number, sha256: string): Wheel {
  return {
    project: `nvidia-${part.replace('_', '-')}-cu12`,
    file: `nvidia_${part}_cu12-${version}-py3-none-manylinux2014_x86_64.whl`,
    size,
    sha256,
  };
}

/**
 * The wheels for a platform, libtensorflow first. Throws `MemGenError` (`backend-platform`) where none exists, and on
 * Linux without glibc.
 */
export function wheelsFor({
  platform,
  arch,
  gpu,
  glibc,
}: {
  platform: NodeJS.Platform;
  arch: string;
  gpu: boolean;
  /** Whether the C library is glibc; only asked on Linux. */
  glibc: boolean;
}): Wheel[] {
  const name = `${platform} ${arch}${gpu ? ' with GPU' : ''}${platform === 'linux' && !glibc ? ' without glibc' : ''}`;
  if (name === 'linux x64') return [linuxX64];
  if (name === 'linux arm64') return [linuxArm64];
  if (name === 'darwin arm64') return [macArm64];
  if (name === 'linux x64 with GPU') return [linuxX64Gpu, ...cuda];
  throw new MemGenError({
    code: 'backend-platform',
    message: 'there is no build of libtensorflow for this platform',
    got: name,
    expected: 'Linux with glibc on x64 (also GPU) or arm64, or macOS on arm64',
    hint: platform === 'win32' ? 'use Linux inside WSL 2, or stay on the wasm backend' : 'stay on the wasm backend',
  });
}
