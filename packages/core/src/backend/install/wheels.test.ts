// Which wheels belong to which platform.
import { describe, expect, it } from 'vitest';
import { wheelsFor } from './wheels.js';

const linux = { platform: 'linux', arch: 'x64', gpu: false, glibc: true } as const;

describe('wheelsFor', () => {
  it('knows one wheel for each supported platform', () => {
    const files = [
      linux,
      { ...linux, arch: 'arm64' },
      { ...linux, platform: 'darwin', arch: 'arm64', glibc: false } as const,
    ].map((machine) => wheelsFor(machine).map(({ file }) => file));
    expect(files).toEqual([
      [expect.stringMatching(/^tensorflow_cpu-2\.20\.0-.*x86_64\.whl$/)],
      [expect.stringMatching(/^tensorflow-2\.20\.0-.*aarch64\.whl$/)],
      [expect.stringMatching(/^tensorflow-2\.20\.0-.*macosx.*arm64\.whl$/)],
    ]);
  });

  it('adds the CUDA libraries for a GPU, each once and with a whole hash', () => {
    const wheels = wheelsFor({ ...linux, gpu: true });
    expect(wheels[0]!.project).toBe('tensorflow');
    expect(wheels.slice(1).every(({ project }) => /^nvidia-[a-z-]+-cu12$/.test(project))).toBe(true);
    expect(new Set(wheels.map(({ sha256 }) => sha256)).size).toBe(wheels.length);
    expect(wheels.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
  });

  it.each([
    [{ ...linux, platform: 'win32' } as const, 'WSL 2'],
    [{ ...linux, glibc: false }, 'wasm'],
    [{ ...linux, platform: 'darwin', arch: 'x64' } as const, 'wasm'],
    [{ ...linux, arch: 'arm64', gpu: true }, 'wasm'],
  ])('refuses %j and says what to do', (machine, hint) => {
    expect(() => wheelsFor(machine)).toThrow(hint);
  });
});
