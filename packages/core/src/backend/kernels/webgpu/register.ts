// Replaces kernels of the tfjs WebGPU backend that answer wrongly.
import * as tf from '@tensorflow/tfjs';
import { fixCumulativeAxis } from '../cumulative-axis.js';
import { inputOf, switchOf } from '../kernel-arguments.js';
import { replaceKernel } from '../replace-kernel.js';
import { addInGroups } from './add-n.js';

const backendName = 'webgpu';

/** Registers our kernels for the WebGPU backend; call after it was imported. Doing so again changes nothing. */
export function registerWebgpuKernels(): void {
  fixCumulativeAxis(backendName);
  replaceKernel(backendName, 'AddN', (original) => addInGroups(original!));
  // A product over no numbers binds an empty buffer; the device refuses that together with all that is in its queue.
  replaceKernel(backendName, 'BatchMatMul', (original) => (parameters) => {
    const { inputs, backend, attrs } = parameters;
    const [a, b] = [inputOf(inputs, 'a'), inputOf(inputs, 'b')];
    if (!a.shape.includes(0) && !b.shape.includes(0)) return original!(parameters);
    const rows = a.shape.at(switchOf(attrs, 'transposeA') ? -1 : -2)!;
    const columns = b.shape.at(switchOf(attrs, 'transposeB') ? -2 : -1)!;
    const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const fill = tf.getKernel('Fill', backendName)!.kernelFunc;
    return fill({ inputs: {}, backend, attrs: { shape: [...batch, rows, columns], value: 0, dtype: a.dtype } });
  });
}
