// Products of vectors in ordinary memory with matrices that lie with TensorFlow, past tfjs's bookkeeping.
import * as tf from '@tensorflow/tfjs';
import { isTensorflowEngine } from './tensorflow-engine.js';

/** `x [rows, in]`, any view, by a matrix: `[rows * out]`. */
export type HostProduct = (x: Float32Array, rows: number, matrix: tf.Tensor2D) => Float32Array;

/**
 * The product of the current backend, where that is TensorFlow on the processor: it brings the rows in, multiplies with
 * all vector units and threads, and brings the result back within microseconds. Undefined on other backends: their
 * matrices lie on a device, or their products are slower than this package's own kernels.
 */
export function hostProduct(): HostProduct | undefined {
  const engine = tf.backend();
  if (!isTensorflowEngine(engine) || engine.isUsingGpuDevice) return undefined;
  const { binding } = engine;
  const attributes = [
    { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: false },
    { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: false },
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
  ];
  return (x, rows, matrix) => {
    const input = binding.createTensor([rows, x.length / rows], binding.TF_FLOAT, x);
    const [product] = binding.executeOp('MatMul', attributes, [input, ...engine.getInputTensorIds([matrix])], 1);
    const values = binding.tensorDataSync(product!.id);
    binding.deleteTensor(input);
    binding.deleteTensor(product!.id);
    return values;
  };
}
