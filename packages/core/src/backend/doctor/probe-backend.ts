// Starts one backend in this process and measures it: what a child process of the doctor does.
import * as tf from '@tensorflow/tfjs';
import type { BackendInfo, BackendName } from '../backend-info.js';
import { startBackend } from '../start-backend.js';

export interface BackendProbe extends BackendInfo {
  /** Billions of multiplications and additions a second in a `[256, 576] x [576, 1536]` product. */
  gigaflops: number;
}

const [rows, inner, columns] = [256, 576, 1536];
const operations = 2 * rows * inner * columns;

/** Throws what `startBackend` throws. Takes about half a second, two with the cpu backend. */
export async function probeBackend(
  backend: BackendName,
  { environment, seconds = 0.3 }: { environment?: NodeJS.ProcessEnv; seconds?: number } = {},
): Promise<BackendProbe> {
  const info = await startBackend({ backend, environment });
  const a = tf.ones([rows, inner]);
  const b = tf.ones([inner, columns]);
  // The first product pays for setting up; only later ones are timed, the fastest counts.
  await multiply(a, b);
  let best = Infinity;
  const end = performance.now() + 1000 * seconds;
  do {
    const start = performance.now();
    await multiply(a, b);
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  tf.dispose([a, b]);
  return { ...info, gigaflops: operations / best / 1e6 };
}

/** Multiplies and waits for one number of the result, so that a GPU's queue is not mistaken for its work. */
async function multiply(a: tf.Tensor, b: tf.Tensor): Promise<void> {
  const first = tf.tidy(() => tf.slice(tf.matMul(a, b), [0, 0], [1, 1]));
  await first.data();
  first.dispose();
}
