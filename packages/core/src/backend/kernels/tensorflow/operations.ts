// Operations of TensorFlow one after the other, past tfjs's bookkeeping, which costs more than many of them do.
import type * as tf from '@tensorflow/tfjs';
import { inputOf } from '../kernel-arguments.js';
import {
  asTensorflowEngine,
  type TensorflowAttribute,
  type TensorflowEngine,
  type TensorflowOutput,
} from './tensorflow-engine.js';

/** `DT_INT32` of TensorFlow's types.proto. */
const int32 = 3;

/** Makes a kernel of operations; what it does not hand out is freed as soon as it returns. */
export function kernelOf(
  compute: (operations: Operations, inputs: tf.NamedTensorInfoMap, attributes: tf.NamedAttrMap) => TensorflowOutput[],
): tf.KernelFunc {
  return ({ inputs, backend, attrs }) => {
    const operations = new Operations(asTensorflowEngine(backend));
    try {
      return operations.handOut(compute(operations, inputs, attrs ?? {}));
    } finally {
      operations.free();
    }
  };
}

/** Each method runs one operation; its result lives until {@link Operations.free}, or is handed out. */
export class Operations {
  private readonly made = new Set<number>();
  private readonly binding: TensorflowEngine['binding'];
  private readonly float: TensorflowAttribute;

  constructor(private readonly engine: TensorflowEngine) {
    this.binding = engine.binding;
    this.float = { name: 'T', type: this.binding.TF_ATTR_TYPE, value: this.binding.TF_FLOAT };
  }

  /** Tensors of tfjs's, by name; they stay where they are. */
  inputs<const Names extends readonly string[]>(
    inputs: tf.NamedTensorInfoMap,
    names: Names,
  ): { [K in keyof Names]: TensorflowOutput } {
    const tensors = names.map((name) => inputOf(inputs, name));
    const ids = this.engine.getInputTensorIds(tensors);
    const dtype = this.binding.TF_FLOAT;
    return tensors.map(({ shape }, i) => ({ id: ids[i]!, shape, dtype })) as { [K in keyof Names]: TensorflowOutput };
  }

  scalar(value: number): TensorflowOutput {
    const dtype = this.binding.TF_FLOAT;
    return this.keep({ id: this.binding.createTensor([], dtype, Float32Array.of(value)), shape: [], dtype });
  }

  add(a: TensorflowOutput, b: TensorflowOutput): TensorflowOutput {
    return this.run('AddV2', [this.float], [a, b]);
  }

  subtract(a: TensorflowOutput, b: TensorflowOutput): TensorflowOutput {
    return this.run('Sub', [this.float], [a, b]);
  }

  multiply(a: TensorflowOutput, b: TensorflowOutput): TensorflowOutput {
    return this.run('Mul', [this.float], [a, b]);
  }

  square(x: TensorflowOutput): TensorflowOutput {
    return this.run('Square', [this.float], [x]);
  }

  reciprocalRoot(x: TensorflowOutput): TensorflowOutput {
    return this.run('Rsqrt', [this.float], [x]);
  }

  sigmoid(x: TensorflowOutput): TensorflowOutput {
    return this.run('Sigmoid', [this.float], [x]);
  }

  /** `dOutput * output * (1 - output)` */
  sigmoidGradient(output: TensorflowOutput, dOutput: TensorflowOutput): TensorflowOutput {
    return this.run('SigmoidGrad', [this.float], [output, dOutput]);
  }

  /** Over the last axis. */
  softmax(x: TensorflowOutput): TensorflowOutput {
    return this.run('Softmax', [this.float], [x]);
  }

  /** Of each row, `labels` being int32; and its gradient with respect to the logits. */
  crossEntropy(logits: TensorflowOutput, labels: TensorflowOutput): [TensorflowOutput, TensorflowOutput] {
    const attributes = [this.float, this.integerType('Tlabels')];
    return this.execute('SparseSoftmaxCrossEntropyWithLogits', attributes, [logits, labels], 2) as [
      TensorflowOutput,
      TensorflowOutput,
    ];
  }

  /** Over the last axis, which stays with size 1. */
  mean(x: TensorflowOutput): TensorflowOutput {
    return this.reduce('Mean', x);
  }

  /** Over the last axis, which stays with size 1. */
  sum(x: TensorflowOutput): TensorflowOutput {
    return this.reduce('Sum', x);
  }

  /** Products of matrices; leading axes must be equal. */
  product(
    a: TensorflowOutput,
    b: TensorflowOutput,
    { transposeA = false, transposeB = false }: { transposeA?: boolean; transposeB?: boolean } = {},
  ): TensorflowOutput {
    const [operation, first, second] =
      a.shape.length === 2 ? ['MatMul', 'transpose_a', 'transpose_b'] : ['BatchMatMulV2', 'adj_x', 'adj_y'];
    const { TF_ATTR_BOOL } = this.binding;
    return this.run(
      operation!,
      [
        { name: first!, type: TF_ATTR_BOOL, value: transposeA },
        { name: second!, type: TF_ATTR_BOOL, value: transposeB },
        this.float,
      ],
      [a, b],
    );
  }

  /** Halves along the last axis. */
  halves(x: TensorflowOutput): [TensorflowOutput, TensorflowOutput] {
    const attributes = [{ name: 'num_split', type: this.binding.TF_ATTR_INT, value: 2 }, this.float];
    return this.execute('Split', attributes, [this.integer(x.shape.length - 1), x], 2) as [
      TensorflowOutput,
      TensorflowOutput,
    ];
  }

  /** Along the last axis. */
  join(parts: readonly TensorflowOutput[]): TensorflowOutput {
    const { TF_ATTR_INT } = this.binding;
    const attributes = [this.float, this.integerType('Tidx'), { name: 'N', type: TF_ATTR_INT, value: parts.length }];
    return this.run('ConcatV2', attributes, [...parts, this.integer(parts[0]!.shape.length - 1)]);
  }

  /** The same memory. */
  reshape(x: TensorflowOutput, shape: readonly number[]): TensorflowOutput {
    return this.run('Reshape', [this.float, this.integerType('Tshape')], [x, this.integers(shape)]);
  }

  /** Results as tensors of tfjs's. */
  handOut(results: readonly TensorflowOutput[]): tf.TensorInfo[] {
    return results.map((result) => {
      this.made.delete(result.id);
      return this.engine.createOutputTensor(result);
    });
  }

  free(): void {
    for (const id of this.made) this.binding.deleteTensor(id);
    this.made.clear();
  }

  private reduce(operation: 'Mean' | 'Sum', x: TensorflowOutput): TensorflowOutput {
    const keep = { name: 'keep_dims', type: this.binding.TF_ATTR_BOOL, value: true };
    return this.run(operation, [keep, this.float, this.integerType('Tidx')], [x, this.integer(x.shape.length - 1)]);
  }

  private integerType(name: string): TensorflowAttribute {
    return { name, type: this.binding.TF_ATTR_TYPE, value: int32 };
  }

  private integer(value: number): TensorflowOutput {
    return this.keep({ id: this.binding.createTensor([], int32, Int32Array.of(value)), shape: [], dtype: int32 });
  }

  private integers(values: readonly number[]): TensorflowOutput {
    const shape = [values.length];
    return this.keep({ id: this.binding.createTensor(shape, int32, Int32Array.from(values)), shape, dtype: int32 });
  }

  private run(name: string, attributes: TensorflowAttribute[], inputs: readonly TensorflowOutput[]): TensorflowOutput {
    return this.execute(name, attributes, inputs, 1)[0]!;
  }

  private execute(
    name: string,
    attributes: TensorflowAttribute[],
    inputs: readonly TensorflowOutput[],
    outputs: number,
  ): TensorflowOutput[] {
    const ids = inputs.map(({ id }) => id);
    return this.binding.executeOp(name, attributes, ids, outputs).map((output) => this.keep(output));
  }

  private keep(output: TensorflowOutput): TensorflowOutput {
    this.made.add(output.id);
    return output;
  }
}
