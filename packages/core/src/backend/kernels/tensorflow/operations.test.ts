// Operations past tfjs's bookkeeping, which therefore has to be watched: nothing may stay with TensorFlow.
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../index.js';
import { kernelOf, type Operations } from './operations.js';
import { asTensorflowEngine, type TensorflowEngine, type TensorflowOutput } from './tensorflow-engine.js';

const found = await startBackend({ backend: 'tensorflow' }).then(
  () => true,
  () => false,
);

/** The engine, with a count of TensorFlow's tensors that were made and not freed. */
function watched(engine: TensorflowEngine): { engine: TensorflowEngine; alive: Set<number> } {
  const alive = new Set<number>();
  const { binding } = engine;
  const counting: TensorflowEngine['binding'] = Object.assign(Object.create(null) as object, {
    TF_ATTR_BOOL: binding.TF_ATTR_BOOL,
    TF_ATTR_TYPE: binding.TF_ATTR_TYPE,
    TF_ATTR_INT: binding.TF_ATTR_INT,
    TF_FLOAT: binding.TF_FLOAT,
    executeOp: (...call: Parameters<typeof binding.executeOp>) => {
      const outputs = binding.executeOp(...call);
      for (const { id } of outputs) alive.add(id);
      return outputs;
    },
    createTensor: (...call: Parameters<typeof binding.createTensor>) => {
      const id = binding.createTensor(...call);
      alive.add(id);
      return id;
    },
    tensorDataSync: (id: number) => binding.tensorDataSync(id),
    deleteTensor: (id: number) => {
      alive.delete(id);
      binding.deleteTensor(id);
    },
  });
  return { engine: Object.create(engine, { binding: { value: counting } }) as TensorflowEngine, alive };
}

describe.skipIf(!found)('operations (need the tensorflow backend)', () => {
  let x: tf.Tensor2D;
  beforeAll(() => {
    x = tf.tensor2d([[1, 2, 3, 4]]);
    // tfjs hands values to TensorFlow at their first use; that tensor is not a kernel's.
    tf.square(x).dispose();
  });
  afterAll(() => {
    x.dispose();
  });

  /** Runs a kernel on `x`; `left`: TensorFlow's tensors that it did not free. */
  function run(compute: (run: Operations, x: TensorflowOutput) => TensorflowOutput[]) {
    const { engine, alive } = watched(asTensorflowEngine(tf.backend()));
    const kernel = kernelOf((operations, inputs) => compute(operations, operations.inputs(inputs, ['x'])[0]));
    const made = () => kernel({ inputs: { x }, attrs: {}, backend: engine }) as tf.TensorInfo[];
    const values = () =>
      made().map((info) => {
        const tensor = tf.engine().makeTensorFromTensorInfo(info);
        const data = [...tensor.dataSync()];
        tensor.dispose();
        return data;
      });
    return { values, left: () => alive.size };
  }

  it('hand out what they are asked for, and free all else', () => {
    const { values, left } = run((operations, x) => {
      const [first, second] = operations.halves(x);
      return [operations.join([second, first]), operations.sum(operations.multiply(x, operations.scalar(2)))];
    });
    expect(values()).toEqual([[3, 4, 1, 2], [20]]);
    // The two results were tfjs's to free.
    expect(left()).toBe(2);
  });

  it('free everything where one of them is refused', () => {
    const { values, left } = run((operations, x) => [operations.product(operations.square(x), x)]);
    expect(values).toThrow(/Matrix size-incompatible/);
    expect(left()).toBe(0);
  });
});
