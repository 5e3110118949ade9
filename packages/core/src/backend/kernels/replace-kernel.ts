// Puts our kernel in the place of one of tfjs, once.
import * as tf from '@tensorflow/tfjs';

const marker = Symbol.for('memgen.kernel');

/**
 * Registers what `make` returns as kernel `kernelName` of a backend. `make` gets the kernel that was there, to fall back
 * to, or undefined. A kernel that was already replaced, also by another copy of this package, is left alone.
 */
export function replaceKernel(
  backendName: string,
  kernelName: string,
  make: (original: tf.KernelFunc | undefined) => tf.KernelFunc,
): void {
  const original = tf.getKernel(kernelName, backendName)?.kernelFunc;
  if (original !== undefined && marker in original) return;
  if (original !== undefined) tf.unregisterKernel(kernelName, backendName);
  const kernelFunc = Object.assign(make(original), { [marker]: true });
  tf.registerKernel({ backendName, kernelName, kernelFunc });
}
