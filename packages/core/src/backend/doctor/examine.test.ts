// The examination of this machine, with real and with crashing child processes.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { engineName } from '../engines/tensorflow-places.js';
import { examine, isSupported } from './examine.js';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const environment = { ...process.env, MEMGEN_CACHE: '/nonexistent/memgen', MEMGEN_BACKEND: '' };

describe('examine', () => {
  it('measures what works and explains what does not', async () => {
    const probeCommand = [process.execPath, '--import', 'tsx', '--conditions=@memgen/source', main] as const;
    const report = await examine({ probeCommand, environment });
    const [gpu, tensorflow, , wasm, cpu] = report.backends;
    expect(gpu).toMatchObject({ works: false, problem: 'no @tensorflow/tfjs-node-gpu is installed' });
    expect(gpu!.toDo).toContain('memgen backend install --gpu');
    expect(tensorflow).toMatchObject({ works: false, problem: 'no @tensorflow/tfjs-node is installed' });
    expect(tensorflow!.toDo).toContain('memgen backend install');
    expect(wasm).toMatchObject({ name: 'wasm', works: true, device: 'cpu', threads: 1 });
    expect(wasm!.gigaflops).toBeGreaterThan(cpu!.gigaflops!);
    expect(report.defaultBackend).toBe('wasm');
    expect(report.node.supported).toBe(true);
    expect(report.memory.free).toBeGreaterThan(0);
    expect(report.cacheFolder).toBe('/nonexistent/memgen');
    expect([128, 256, 512]).toContain(report.kernels.vectorBits);
  });

  it('says that an engine of before has to be made anew', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'memgen-examine-'));
    const engine = join(cache, 'engines', engineName({ gpu: false, version: '1.0.0' }));
    await mkdir(engine, { recursive: true });
    await writeFile(join(engine, 'engine.json'), '{}');
    const probeCommand = [process.execPath, '--import', 'tsx', '--conditions=@memgen/source', main] as const;
    const report = await examine({ probeCommand, environment: { ...environment, MEMGEN_CACHE: cache } });
    const tensorflow = report.backends.find(({ name }) => name === 'tensorflow');
    expect(tensorflow).toMatchObject({
      works: false,
      problem: expect.stringContaining('of another version of memgen'),
    });
    expect(tensorflow!.toDo).toContain('memgen backend install');
    await rm(cache, { recursive: true });
  });

  it('survives backends that crash or babble', async () => {
    const crash = [process.execPath, '-e', 'process.kill(process.pid, "SIGKILL")'] as const;
    const crashed = await examine({ probeCommand: crash, environment });
    expect(crashed.backends.map(({ problem }) => problem)).toEqual(
      new Array(5).fill('its process was ended by SIGKILL'),
    );
    expect(crashed.defaultBackend).toBeUndefined();
    const babble = [process.execPath, '-e', 'console.log("{"); console.error("Error: odd")'] as const;
    const babbled = await examine({ probeCommand: babble, environment });
    expect(babbled.backends.every(({ works, problem }) => !works && problem === 'Error: odd')).toBe(true);
  });
});

it('supports Node from 20.19 on', () => {
  expect(['20.19.0', '20.20.2', '22.0.0', '24.1.0'].every(isSupported)).toBe(true);
  expect(['18.20.0', '20.18.9', '16.0.0'].some(isSupported)).toBe(false);
});
