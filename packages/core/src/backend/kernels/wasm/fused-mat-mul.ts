// _FusedMatMul for the wasm backend: the product, the bias and the activation, each by the kernel that is fast.
import * as tf from '@tensorflow/tfjs';
import { inputOf, numberOf, switchOf } from '../kernel-arguments.js';
import { batchMatMul } from './batch-mat-mul.js';
import type { WasmEngine } from './wasm-engine.js';
import { asWasmEngine } from './wasm-engine.js';

const activations: Record<string, string> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

export const fusedMatMul: tf.KernelFunc = ({ inputs, backend, attrs }) => {
  const engine = asWasmEngine(backend);
  const flags = { transposeA: switchOf(attrs, 'transposeA'), transposeB: switchOf(attrs, 'transposeB') };
  let out = batchMatMul(inputOf(inputs, 'a'), inputOf(inputs, 'b'), { ...flags, backend });
  const { bias, preluActivationWeights: alpha } = inputs;
  if (bias !== undefined && bias !== null) out = then(engine, 'Add', out, { a: out, b: bias });
  const activation = attrs?.['activation'];
  if (typeof activation !== 'string' || activation === 'linear') return out;
  const kernel = activations[activation];
  if (kernel === undefined) throw new Error(`the activation ${activation} cannot be fused on the wasm backend`);
  if (kernel === 'Prelu') return then(engine, kernel, out, { x: out, alpha });
  return then(engine, kernel, out, { x: out }, { alpha: numberOf(attrs, 'leakyreluAlpha') });
};

/** Runs the next kernel on `previous` and lets that go. */
function then(
  engine: WasmEngine,
  kernel: string,
  previous: tf.TensorInfo,
  inputs: tf.NamedTensorInfoMap,
  attrs: tf.NamedAttrMap = {},
): tf.TensorInfo {
  const out = tf.getKernel(kernel, 'wasm').kernelFunc({ inputs, backend: engine, attrs });
  engine.disposeData(previous.dataId);
  return Array.isArray(out) ? out[0]! : out;
}
