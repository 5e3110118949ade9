// The few internals of tfjs-node's backend that our kernels build on.
import type * as tf from '@tensorflow/tfjs';

export interface TensorflowAttribute {
  name: string;
  type: number;
  value: number | boolean;
}

/** A tensor of TensorFlow's, as the addon reports it. */
export interface TensorflowOutput {
  id: number;
  shape: number[];
  dtype: number;
}

/** `NodeJSKernelBackend` of tfjs-node 4.22 as our kernels see it. */
export interface TensorflowEngine {
  binding: {
    TF_ATTR_BOOL: number;
    TF_ATTR_TYPE: number;
    TF_ATTR_INT: number;
    TF_FLOAT: number;
    executeOp(name: string, attributes: TensorflowAttribute[], inputs: number[], outputs: number): TensorflowOutput[];
    createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array): number;
    /** A copy of the values. */
    tensorDataSync(id: number): Float32Array;
    deleteTensor(id: number): void;
  };
  isUsingGpuDevice: boolean;
  tensorMap: { set(dataId: object, entry: TensorflowOutput & { values: null; refCount: number }): void };
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  createOutputTensor(output: TensorflowOutput): tf.TensorInfo;
  executeSingleOutput(operation: string, attributes: TensorflowAttribute[], inputs: tf.TensorInfo[]): tf.TensorInfo;
}

export function isTensorflowEngine(backend: object): backend is TensorflowEngine {
  return (
    'binding' in backend &&
    'tensorMap' in backend &&
    'getInputTensorIds' in backend &&
    'createOutputTensor' in backend &&
    'executeSingleOutput' in backend
  );
}

/** Narrows the backend handed to a kernel. Throws on a version of tfjs-node with other internals. */
export function asTensorflowEngine(backend: object): TensorflowEngine {
  if (isTensorflowEngine(backend)) return backend;
  throw new Error('this kernel is written for @tensorflow/tfjs-node 4.22; install that version');
}
