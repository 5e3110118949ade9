// Attention and its gradient for the wasm backend, without weights in memory; `ops/attention.ts` says what they compute.
import type * as tf from '@tensorflow/tfjs';
import { inputOf } from '../kernel-arguments.js';
import { heapKernels, withRoom } from './heap-kernels.js';
import { address, asWasmEngine, requireFloats } from './wasm-engine.js';

const floatBytes = 4;

interface Arguments {
  query: tf.TensorInfo;
  key: tf.TensorInfo;
  value: tf.TensorInfo;
  bias: tf.TensorInfo | undefined;
}

/** Sizes of the part that one key-value head has in a batch row, and how many such parts there are. */
interface Sizes {
  groups: number;
  rows: number;
  tokens: number;
  columns: number;
  size: number;
}

function argumentsOf(inputs: tf.NamedTensorInfoMap): Arguments & Sizes {
  const [query, key, value] = [inputOf(inputs, 'query'), inputOf(inputs, 'key'), inputOf(inputs, 'value')];
  const bias = inputs['bias'];
  requireFloats(query, key, value, ...(bias === undefined ? [] : [bias]));
  const [batch, heads, tokens, size] = query.shape as [number, number, number, number];
  const [, keyValueHeads, columns] = key.shape as [number, number, number];
  return {
    ...{ query, key, value, bias },
    ...{ groups: batch * keyValueHeads, rows: (heads / keyValueHeads) * tokens, tokens, columns, size },
  };
}

/** For each group, where its queries, its keys and its bias begin, in bytes from the start of their tensors. */
function offsets({ query, key, bias, groups, rows, tokens, columns, size }: Arguments & Sizes) {
  const perRow = groups / query.shape[0]!;
  return Array.from({ length: groups }, (_, group) => ({
    queries: floatBytes * group * rows * size,
    keys: floatBytes * group * key.shape[2]! * size,
    biases: bias?.shape[0] === 1 ? 0 : floatBytes * Math.floor(group / perRow) * tokens * columns,
  }));
}

/** `query, key, value, bias? -> output` */
export const attention: tf.KernelFunc = ({ inputs, backend }) => {
  const engine = asWasmEngine(backend);
  const given = argumentsOf(inputs);
  const { query, key, value, bias, rows, tokens, columns, size } = given;
  const output = engine.makeOutput(query.shape, 'float32');
  const kernels = heapKernels(engine);
  withRoom(engine, kernels.attentionBytes(columns, size, false), (room) => {
    const [queryAt, keyAt, valueAt, outputAt] = address(engine, query, key, value, output);
    const [biasAt] = bias === undefined ? [0] : address(engine, bias);
    for (const { queries, keys, biases } of offsets(given)) {
      kernels.attend(
        queryAt + queries,
        keyAt + keys,
        valueAt + keys,
        bias === undefined ? 0 : biasAt + biases,
        outputAt + queries,
        ...([rows, tokens, columns, size, room] as const),
      );
    }
  });
  return output;
};

/** `dOutput, query, key, value, bias? -> dQuery, dKey, dValue` */
export const attentionGradient: tf.KernelFunc = ({ inputs, backend }) => {
  const engine = asWasmEngine(backend);
  const given = argumentsOf(inputs);
  const { query, key, value, bias, rows, tokens, columns, size } = given;
  const dOutput = inputOf(inputs, 'dOutput');
  requireFloats(dOutput);
  const [dQuery, dKey, dValue] = [query, key, value].map(({ shape }) => engine.makeOutput(shape, 'float32')) as [
    tf.TensorInfo,
    tf.TensorInfo,
    tf.TensorInfo,
  ];
  const kernels = heapKernels(engine);
  withRoom(engine, kernels.attentionBytes(columns, size, true), (room) => {
    const [dOutputAt, queryAt, keyAt, valueAt] = address(engine, dOutput, query, key, value);
    const [dQueryAt, dKeyAt, dValueAt] = address(engine, dQuery, dKey, dValue);
    const [biasAt] = bias === undefined ? [0] : address(engine, bias);
    for (const { queries, keys, biases } of offsets(given)) {
      kernels.attendBack(
        dOutputAt + queries,
        queryAt + queries,
        keyAt + keys,
        valueAt + keys,
        bias === undefined ? 0 : biasAt + biases,
        dQueryAt + queries,
        dKeyAt + keys,
        dValueAt + keys,
        ...([rows, tokens, columns, size, room] as const),
      );
    }
  });
  return [dQuery, dKey, dValue];
};
