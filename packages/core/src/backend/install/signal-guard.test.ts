// The guard at work: a process that multiplies on the engine this package builds, under a rain of signals.
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { tensorflowPlaces } from '../engines/tensorflow-places.js';

const [place] = tensorflowPlaces().filter(({ built, outdated }) => built && !outdated);

/** Multiplies as adapters do: by the calling thread, with room on the heap. Without the guard it lasts a second or two. */
const script = `
import * as tf from '@tensorflow/tfjs';
import { startBackend } from '@memgen/core';
process.on('SIGUSR2', () => undefined);
await startBackend({ backend: 'tensorflow' });
const [x, weight] = [tf.randomNormal([24, 576]), tf.randomNormal([576, 16])];
const products = [];
console.log('ready');
for (const end = Date.now() + 3000; Date.now() < end; ) {
  for (let i = 0; i < 10; i++) products.push(tf.matMul(x, weight));
  if (products.length > 100) tf.dispose(products.splice(0, 50));
  await new Promise((resolve) => setImmediate(resolve));
}
console.log('done');
// While it ends, Node takes its handlers away.
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();
`;

it.skipIf(place?.private !== true)(
  'products survive signals (skipped without the engine that this package builds)',
  async () => {
    const words = ['--import', 'tsx', '--conditions=@memgen/source', '--input-type=module', '-e', script];
    const child = spawn(process.execPath, words, { cwd: import.meta.dirname, stdio: 'pipe' });
    let [output, sent] = ['', 0];
    child.stdout.on('data', (data) => (output += String(data)));
    child.stderr.on('data', (data) => (output += String(data)));
    const ended = new Promise((resolve) => child.on('exit', (code, signal) => { resolve(signal ?? code); })); // prettier-ignore
    while (child.exitCode === null && child.signalCode === null && !output.includes('done')) {
      if (output.includes('ready') && child.kill('SIGUSR2')) sent++;
      await wait(1);
    }
    child.stdin.end('go');
    expect(await ended, output).toBe(0);
    expect(sent).toBeGreaterThan(100);
  },
  120_000,
);
