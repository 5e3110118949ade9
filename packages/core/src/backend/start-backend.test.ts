// Which backend is started, and what is said when it cannot be.
import { MemGenError } from '@memgen/common';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it, vi } from 'vitest';
import { backendNames } from './backend-info.js';
import { remedies, startBackend } from './start-backend.js';

/** An environment in which no private engine is found. */
const bare = { MEMGEN_CACHE: '/nonexistent/memgen' };

describe('startBackend', () => {
  it('starts the backend that is asked for and makes it current', async () => {
    const info = await startBackend({ backend: 'cpu', environment: bare });
    expect(info).toMatchObject({ name: 'cpu', device: 'cpu', threads: 1, reason: 'it was asked for', tried: [] });
    expect(tf.getBackend()).toBe('cpu');
    const again = await startBackend({ backend: 'wasm', environment: bare });
    expect(again.name).toBe('wasm');
    expect(tf.getBackend()).toBe('wasm');
  });

  it('takes the first that works and tells why the others did not', async () => {
    const info = await startBackend({ environment: bare });
    expect(info.name).toBe('wasm');
    expect(info.tried.map(({ name }) => name)).toEqual(['tensorflow-gpu', 'tensorflow', 'webgpu']);
    expect(info.tried[1]!.problem).toBe('no @tensorflow/tfjs-node is installed');
    expect(info.reason).toBe('it is the first that works here (tensorflow-gpu, tensorflow and webgpu do not)');
  });

  it('obeys MEMGEN_BACKEND where nothing is asked for', async () => {
    const environment = { ...bare, MEMGEN_BACKEND: 'cpu' };
    await expect(startBackend({ environment })).resolves.toMatchObject({
      name: 'cpu',
      reason: 'MEMGEN_BACKEND asks for it',
    });
    await expect(startBackend({ backend: 'wasm', environment })).resolves.toMatchObject({ name: 'wasm' });
  });

  it('names the choices when MEMGEN_BACKEND is misspelt', async () => {
    const failure = await startBackend({ environment: { MEMGEN_BACKEND: 'tensorflo' } }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(MemGenError);
    expect(failure).toMatchObject({
      code: 'backend-name',
      where: 'environment variable MEMGEN_BACKEND',
      got: 'tensorflo',
    });
  });

  it('says why a named backend cannot start and what to run', async () => {
    const failure = await startBackend({ backend: 'tensorflow', environment: bare }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'backend-start', got: 'no @tensorflow/tfjs-node is installed' });
    expect((failure as MemGenError).hint).toContain('memgen backend install');
  });

  it('has a remedy of one line for each', () => {
    expect(Object.keys(remedies)).toEqual([...backendNames]);
    for (const remedy of Object.values(remedies)) expect(remedy).toMatch(/^\S.{10,110}$/);
  });

  it('prints nothing', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await startBackend({ backend: 'cpu', environment: bare });
    tf.zeros([2]).dispose();
    await startBackend({ backend: 'wasm', environment: bare });
    await startBackend({ backend: 'wasm', environment: bare });
    expect([...warn.mock.calls, ...log.mock.calls]).toEqual([]);
    vi.restoreAllMocks();
  });

  it('leaves tensors of the user alone', async () => {
    await startBackend({ backend: 'wasm', environment: bare });
    const before = tf.memory().numTensors;
    await startBackend({ backend: 'wasm', environment: bare });
    expect(tf.memory().numTensors).toBe(before);
  });
});
