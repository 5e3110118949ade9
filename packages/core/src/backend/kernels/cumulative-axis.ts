// Lets cumulative sums and products take a negative axis on the cpu and wasm backends.
import { inputOf, numberOf } from './kernel-arguments.js';
import { replaceKernel } from './replace-kernel.js';

/** With a negative axis the cpu backend returns nonsense and the wasm backend writes outside its tensor. */
export function fixCumulativeAxis(backendName: 'cpu' | 'wasm'): void {
  for (const kernelName of ['Cumsum', 'Cumprod']) {
    replaceKernel(backendName, kernelName, (original) => (parameters) => {
      const axis = numberOf(parameters.attrs, 'axis');
      const { shape } = inputOf(parameters.inputs, 'x');
      return original!({ ...parameters, attrs: { ...parameters.attrs, axis: axis < 0 ? axis + shape.length : axis } });
    });
  }
}
