// Runs kernels of our own, where the current backend has them, in place of compositions of tfjs's operations.
import * as tf from '@tensorflow/tfjs';

/** Kernels that a backend may have; `backend/kernels/` registers them. */
export type FusedKernel =
  | 'MemgenNormalize'
  | 'MemgenNormalizeGradient'
  | 'MemgenNormalizeWeightGradient'
  | 'MemgenRotate'
  | 'MemgenGatedActivation'
  | 'MemgenGatedActivationGradient'
  | 'MemgenAttention'
  | 'MemgenAttentionGradient'
  | 'MemgenAttentionAtOnce'
  | 'MemgenAttentionAtOnceGradient'
  | 'MemgenCrossEntropy';

/**
 * Whether the kernel can stand for its composition: the current backend has it, and tfjs's own tape is not recording, which
 * differentiates compositions only. (Inside `tf.customGrad`, and backwards, it does not record.)
 */
function canFuse(kernel: FusedKernel): boolean {
  const { gradientDepth, kernelDepth } = tf.engine().state;
  return (gradientDepth === 0 || kernelDepth > 0) && tf.getKernel(kernel, tf.getBackend()) !== undefined;
}

/** The kernel's outputs; undefined where the composition has to be used. Inputs that are undefined are left out. */
export function runFused(
  kernel: FusedKernel,
  inputs: Record<string, tf.Tensor | undefined>,
  attributes: Record<string, number | boolean> = {},
): tf.Tensor[] | undefined {
  if (!canFuse(kernel)) return undefined;
  const given: tf.NamedTensorMap = {};
  for (const [name, tensor] of Object.entries(inputs)) if (tensor !== undefined) given[name] = tensor;
  const outputs = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(kernel, given, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
}
