// Starts one backend in this process and measures it: what a child process of the doctor does.
import * as tf from '@tensorflow/tfjs';
import { bfloat16MatMul, multipliesInBfloat16, toBfloat16 } from '../../ops/bfloat16-mat-mul.js';
import type { BackendInfo, BackendName } from '../backend-info.js';
import { startBackend } from '../start-backend.js';

export interface BackendProbe extends BackendInfo {
  /** Billions of multiplications and additions a second in a `[256, 576] x [576, 1536]` product. */
  gigaflops: number;
  /** The same with the second matrix in bfloat16, where the backend multiplies so. */
  bfloat16Gigaflops?: number;
}

const [rows, inner, columns] = [256, 576, 1536];
const operations = 2 * rows * inner * columns;

/** Throws what `startBackend` throws. Takes about half a second, two with the cpu backend. */
export async function probeBackend(
  backend: BackendName,
  { environment, seconds = 0.3 }: { environment?: NodeJS.ProcessEnv; seconds?: number } = {},
): Promise<BackendProbe> {
  const info = await startBackend({ backend, environment });
  const a = tf.ones<tf.Rank.R2>([rows, inner]);
  const b = tf.ones<tf.Rank.R2>([inner, columns]);
  const gigaflops = await rateOf(() => tf.matMul(a, b), seconds);
  // A device may refuse them where the backend has them: that is no reason to call the backend broken.
  const bfloat16Gigaflops = multipliesInBfloat16()
    ? await bfloat16Rate(a, b, seconds).catch(() => undefined)
    : undefined;
  tf.dispose([a, b]);
  return { ...info, gigaflops, bfloat16Gigaflops };
}

async function bfloat16Rate(a: tf.Tensor2D, b: tf.Tensor2D, seconds: number): Promise<number> {
  const copy = toBfloat16(b);
  try {
    return await rateOf(() => bfloat16MatMul(a, copy), seconds);
  } finally {
    copy.dispose();
  }
}

async function rateOf(product: () => tf.Tensor2D, seconds: number): Promise<number> {
  // The first product pays for setting up; only later ones are timed, the fastest counts.
  await finish(product);
  let best = Infinity;
  const end = performance.now() + 1000 * seconds;
  do {
    const start = performance.now();
    await finish(product);
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  return operations / best / 1e6;
}

/** Multiplies and waits for one number of the result, so that a GPU's queue is not mistaken for its work. */
async function finish(product: () => tf.Tensor2D): Promise<void> {
  const first = tf.tidy(() => tf.slice(product(), [0, 0], [1, 1]));
  await first.data();
  first.dispose();
}
