// Lets cumulative sums and products take a negative axis on the backends of tfjs that do not.
import { inputOf, numberOf } from './kernel-arguments.js';
import { replaceKernel } from './replace-kernel.js';

/** With a negative axis cpu returns nonsense, wasm writes outside its tensor and webgpu asks for a buffer of no size. */
export function fixCumulativeAxis(backendName: 'cpu' | 'wasm' | 'webgpu'): void {
  for (const kernelName of ['Cumsum', 'Cumprod']) {
    replaceKernel(backendName, kernelName, (original) => (parameters) => {
      const axis = numberOf(parameters.attrs, 'axis');
      const { shape } = inputOf(parameters.inputs, 'x');
      return original!({ ...parameters, attrs: { ...parameters.attrs, axis: axis < 0 ? axis + shape.length : axis } });
    });
  }
}
