// Products in bfloat16 on TensorFlow: half the bytes of a matrix, about twice the speed where the processor has them.
import * as tf from '@tensorflow/tfjs';
import { castKernel, matMulKernel } from '../bfloat16-kernels.js';
import { inputOf, switchOf } from '../kernel-arguments.js';
import { replaceKernel } from '../replace-kernel.js';
import { asTensorflowEngine, type TensorflowEngine } from './tensorflow-engine.js';

/** `DT_BFLOAT16` of TensorFlow's types.proto; tfjs has no name for it. */
const bfloat16 = 14;

export function registerBfloat16Kernels(): void {
  replaceKernel('tensorflow', castKernel, () => ({ inputs, backend }) => {
    const engine = asTensorflowEngine(backend);
    const x = inputOf(inputs, 'x');
    return opaqueTensor(engine, cast(engine, engine.getInputTensorIds([x])[0]!, 'down'), x.shape);
  });
  replaceKernel('tensorflow', matMulKernel, () => ({ inputs, backend, attrs }) => {
    const engine = asTensorflowEngine(backend);
    const { binding } = engine;
    const [x, weight] = engine.getInputTensorIds([inputOf(inputs, 'x'), inputOf(inputs, 'weight')]) as [number, number];
    const low = cast(engine, x, 'down');
    const [product] = binding.executeOp(
      'MatMul',
      [
        { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: false },
        { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: switchOf(attrs, 'transposed') },
        { name: 'T', type: binding.TF_ATTR_TYPE, value: bfloat16 },
      ],
      [low, weight],
      1,
    );
    binding.deleteTensor(low);
    const result = engine.createOutputTensor(castOutput(engine, product!.id, 'up'));
    binding.deleteTensor(product!.id);
    return result;
  });
  if (tf.getGradient(matMulKernel) !== undefined) return;
  tf.registerGradient({
    kernelName: matMulKernel,
    inputsToSave: ['weight'],
    gradFunc: (dOutput, [weight], attributes) => ({
      x: () =>
        tf
          .engine()
          .runKernel(
            matMulKernel,
            { x: dOutput as tf.Tensor, weight: weight! },
            { transposed: !switchOf(attributes, 'transposed') },
          ) as tf.Tensor,
    }),
  });
}

function castOutput(engine: TensorflowEngine, id: number, direction: 'down' | 'up') {
  const { binding } = engine;
  const [from, to] = direction === 'down' ? [binding.TF_FLOAT, bfloat16] : [bfloat16, binding.TF_FLOAT];
  const attributes = [
    { name: 'SrcT', type: binding.TF_ATTR_TYPE, value: from },
    { name: 'DstT', type: binding.TF_ATTR_TYPE, value: to },
    { name: 'Truncate', type: binding.TF_ATTR_BOOL, value: false },
  ];
  return binding.executeOp('Cast', attributes, [id], 1)[0]!;
}

function cast(engine: TensorflowEngine, id: number, direction: 'down' | 'up'): number {
  return castOutput(engine, id, direction).id;
}

/** tfjs counts it as float32 (it knows no two-byte numbers) and frees it as any tensor; it must not be read as one. */
function opaqueTensor(engine: TensorflowEngine, id: number, shape: number[]): tf.TensorInfo {
  const dataId = {};
  engine.tensorMap.set(dataId, { shape, dtype: bfloat16, id, values: null, refCount: 1 });
  return { dataId, shape, dtype: 'float32' };
}
