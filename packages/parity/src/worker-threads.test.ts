// Two workers at the same time, each with a backend of its own, compute what the main thread computes, bit for bit.
import { Worker } from 'node:worker_threads';
import { startBackend, type BackendName } from '@memgen/core';
import { describe, expect, it } from 'vitest';
import { computeAll, type Computation } from './worker-computation.test-helper.js';

const hasTensorflow = await startBackend({ backend: 'tensorflow' }).then(
  () => true,
  () => false,
);

function computeInWorker(backend: BackendName): Promise<Computation> {
  const entry = new URL('./worker-computation.test-helper.ts', import.meta.url).href;
  const worker = new Worker(new URL('./worker-start.test-helper.mjs', import.meta.url), {
    execArgv: ['--conditions=@memgen/source'],
    workerData: { backend, entry },
  });
  return new Promise((resolve, reject) => {
    worker.once('message', (result: Computation) => {
      resolve(result);
      // Its backend would keep it alive.
      void worker.terminate();
    });
    worker.once('error', reject);
    worker.once('exit', (code) => {
      reject(new Error(`the worker ended with code ${code} and without a result`));
    });
  });
}

async function compareWorkers(backend: BackendName): Promise<void> {
  const own = await computeAll(backend);
  expect(own.left).toBe(0);
  expect(own.losses[1], 'the first step changed the weaver').not.toBe(own.losses[0]);
  const results = await Promise.all([computeInWorker(backend), computeInWorker(backend)]);
  expect(results).toEqual([own, own]);
}

describe('worker threads', () => {
  it('equal the main thread on wasm', () => compareWorkers('wasm'));

  it.skipIf(!hasTensorflow)('equal the main thread on tensorflow (skipped: `memgen backend install` was not run)', () =>
    compareWorkers('tensorflow'),
  );
});
