// Sums any number of tensors on the tfjs WebGPU backend.
import type * as tf from '@tensorflow/tfjs';

interface WebgpuEngine {
  device: { limits: { maxStorageBuffersPerShaderStage: number } };
  disposeData(dataId: object): boolean;
}

function isWebgpuEngine(backend: object): backend is WebgpuEngine {
  return 'device' in backend && 'disposeData' in backend;
}

/**
 * tfjs binds all inputs to one shader. With more than the device takes (8 buffers, the result included) the shader is
 * refused, and the sum is zeros without an error. This adds as many at once as fit, then the rest to their sum.
 */
export function addInGroups(original: tf.KernelFunc): tf.KernelFunc {
  return (parameters) => {
    const { backend } = parameters;
    let terms = Object.values(parameters.inputs).filter((term) => term !== undefined);
    if (!isWebgpuEngine(backend)) return original(parameters);
    const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
    // The kernel takes its inputs as a list, which the type of kernels does not provide for.
    const add = (inputs: object): tf.TensorInfo =>
      original({ ...parameters, inputs: inputs as tf.NamedTensorInfoMap }) as tf.TensorInfo;
    let partial: tf.TensorInfo | undefined;
    while (terms.length > most) {
      const sum = add(terms.slice(0, most));
      if (partial !== undefined) backend.disposeData(partial.dataId);
      partial = sum;
      terms = [sum, ...terms.slice(most)];
    }
    const result = add(terms);
    if (partial !== undefined) backend.disposeData(partial.dataId);
    return result;
  };
}
