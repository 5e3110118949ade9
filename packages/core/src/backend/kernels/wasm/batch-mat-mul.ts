// BatchMatMul for the wasm backend: any product of matrices by our own kernel, also transposed and batched.
import * as tf from '@tensorflow/tfjs';
import { batchIndices } from './batch-indices.js';
import { heapKernels, withRoom } from './heap-kernels.js';
import { address, asWasmEngine, float32View } from './wasm-engine.js';

const floatBytes = 4;

export interface BatchMatMulOptions {
  transposeA: boolean;
  transposeB: boolean;
  /** The wasm backend, as tfjs hands it to a kernel. */
  backend: object;
}

/**
 * `a [..., rows, inner] x b [..., inner, columns]`, either stored transposed, leading dimensions broadcast.
 *
 * The backend's own kernel is fast for one product without transposes only, and for that it keeps a second, packed copy of
 * every `b` until that tensor is disposed: twice the memory for the weights of a model. Ours packs what it needs on the
 * way, which costs a few percent.
 */
export function batchMatMul(
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  { transposeA, transposeB, backend }: BatchMatMulOptions,
): tf.TensorInfo {
  const engine = asWasmEngine(backend);
  if (a.dtype !== 'float32' || b.dtype !== 'float32') {
    throw new Error(`matMul on the wasm backend takes float32 tensors, got ${a.dtype} and ${b.dtype}`);
  }
  const [rows, inner] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [innerOfB, columns] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (inner !== innerOfB) {
    throw new Error(
      `matMul of [${a.shape.join(', ')}]${transposeA ? ' transposed' : ''} and ` +
        `[${b.shape.join(', ')}]${transposeB ? ' transposed' : ''}: inner sizes ${inner} and ${innerOfB} differ`,
    );
  }
  const leadingA = a.shape.slice(0, -2);
  const leadingB = b.shape.slice(0, -2);
  const batchShape = tf.broadcast_util.assertAndGetBroadcastShape(leadingA, leadingB);
  const out = engine.makeOutput([...batchShape, rows, columns], 'float32');
  const batch = tf.util.sizeFromShape(batchShape);
  if (batch * rows * columns === 0) return out;
  if (inner === 0) {
    float32View(engine, out).fill(0);
    return out;
  }
  let sizes = { rows, batch, ofA: batchIndices(leadingA, batchShape), ofB: batchIndices(leadingB, batchShape) };
  if (tf.util.sizeFromShape(leadingB) === 1 && tf.util.sizeFromShape(leadingA) === batch && !transposeA) {
    // One b for all: the matrices of a are more rows of one matrix.
    sizes = { rows: rows * batch, batch: 1, ofA: [0], ofB: [0] };
  }
  const kernels = heapKernels(engine);
  withRoom(engine, kernels.multiplyBytes(sizes.rows, inner), (room) => {
    const [aAt, bAt, outAt] = address(engine, a, b, out);
    for (let index = 0; index < sizes.batch; index++) {
      const left = aAt + floatBytes * sizes.ofA[index]! * rows * inner;
      const right = bAt + floatBytes * sizes.ofB[index]! * inner * columns;
      const result = outAt + floatBytes * index * rows * columns;
      kernels.multiply(left, transposeA, right, transposeB, result, sizes.rows, inner, columns, room);
    }
  });
  return out;
}
