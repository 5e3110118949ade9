// BatchMatMul for the wasm backend: every product that is worth it goes through XNNPACK, also transposed and batched.
import * as tf from '@tensorflow/tfjs';
import { batchIndices } from './batch-indices.js';
import type { MatMulPlan } from './matmul-plan.js';
import { planMatMul } from './matmul-plan.js';
import { transposeMatrices } from './transpose-matrices.js';
import type { WasmEngine } from './wasm-engine.js';
import { asWasmEngine, cFunction, heapTensor, HeapView, shapeBytes } from './wasm-engine.js';

const FLOAT_BYTES = 4;
const parameters = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'] as const;

export interface BatchMatMulOptions {
  transposeA: boolean;
  transposeB: boolean;
  /** The wasm backend, as tfjs hands it to a kernel. */
  backend: object;
  /** How to multiply; chosen by the sizes if absent. */
  plan?: MatMulPlan;
}

/**
 * `a [..., rows, inner] x b [..., inner, columns]`, either stored transposed, leading dimensions broadcast. The
 * backend's own kernel reaches XNNPACK only for one product without transposes and takes scalar loops (ten times
 * slower) otherwise; here transposes are made explicit and each product of a batch works on views of the operands.
 *
 * In the plain product of two matrices the backend keeps the packed form of `b` until that tensor is disposed, so weights
 * are packed once. All else (gradients, attention) packs for one call only.
 */
export function batchMatMul(
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  { transposeA, transposeB, backend, plan }: BatchMatMulOptions,
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
  const batchShape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const batch = tf.util.sizeFromShape(batchShape);
  const outShape = [...batchShape, rows, columns];
  if (batch * rows * columns === 0) return engine.makeOutput(outShape, 'float32');
  if (inner === 0) return zeros(engine, outShape);

  const left: Operand = { tensor: a, indices: batchIndices(a.shape.slice(0, -2), batchShape), transposed: transposeA };
  const right: Operand = { tensor: b, indices: batchIndices(b.shape.slice(0, -2), batchShape), transposed: transposeB };
  const sizes = { rows, inner, columns, batch };
  const batchA = tf.util.sizeFromShape(a.shape.slice(0, -2));
  const batchB = tf.util.sizeFromShape(b.shape.slice(0, -2));
  if (batchB === 1 && batchA === batch && !transposeA) {
    // One b for all: the matrices of a are more rows of one matrix.
    Object.assign(sizes, { rows: rows * batch, batch: 1 });
    left.indices = right.indices = [0];
  }
  const chosen =
    plan ?? planMatMul({ ...sizes, transposeA, transposeB, batchA: left.indices.length === 1 ? 1 : batchA, batchB });
  const keepPacked = sizes.batch === 1 && !transposeA && !transposeB;
  const out =
    chosen === 'swapped'
      ? swapped(engine, left, right, sizes)
      : product(engine, left, right, sizes, { loops: chosen === 'loops', keepPacked });
  out.shape = outShape;
  return out;
}

/** One side of a batched product. */
interface Operand {
  tensor: tf.TensorInfo;
  /** For each product of the batch, which matrix of `tensor` it uses. */
  indices: number[];
  transposed: boolean;
}

interface Sizes {
  rows: number;
  inner: number;
  columns: number;
  batch: number;
}

/** `left x right`; with `loops`, transposed operands go as they are to the backend's own kernel. */
function product(
  engine: WasmEngine,
  left: Operand,
  right: Operand,
  sizes: Sizes,
  { loops, keepPacked }: { loops: boolean; keepPacked: boolean },
): tf.TensorInfo {
  const { rows, inner, columns, batch } = sizes;
  // A matrix of one row is its own transpose in memory, and the loops want a transposed operand.
  const a = loops ? { ...left, transposed: left.transposed || rows === 1 } : straight(engine, left, rows, inner);
  const b = loops
    ? { ...right, transposed: right.transposed || columns === 1 }
    : straight(engine, right, inner, columns);
  const out = engine.makeOutput([batch, rows, columns], 'float32');
  multiplyEach(engine, a, b, out, { ...sizes, keepPacked });
  if (a.tensor !== left.tensor) engine.disposeData(a.tensor.dataId);
  if (b.tensor !== right.tensor) engine.disposeData(b.tensor.dataId);
  return out;
}

/** `(rightT x leftT)T`: packs `left` instead of `right`. */
function swapped(engine: WasmEngine, left: Operand, right: Operand, sizes: Sizes): tf.TensorInfo {
  const { rows, inner, columns, batch } = sizes;
  const turned = product(
    engine,
    { ...right, transposed: !right.transposed },
    { ...left, transposed: !left.transposed },
    { rows: columns, inner, columns: rows, batch },
    { loops: false, keepPacked: false },
  );
  const out = transposeMatrices(engine, turned, columns, rows);
  engine.disposeData(turned.dataId);
  return out;
}

/** The operand stored as `[rows, columns]`: itself, or a transposed copy that the caller disposes. */
function straight(engine: WasmEngine, operand: Operand, rows: number, columns: number): Operand {
  if (!operand.transposed) return operand;
  return { ...operand, tensor: transposeMatrices(engine, operand.tensor, columns, rows), transposed: false };
}

function multiplyEach(
  engine: WasmEngine,
  a: Operand,
  b: Operand,
  out: tf.TensorInfo,
  { rows, inner, columns, batch, keepPacked }: Sizes & { keepPacked: boolean },
): void {
  const run = cFunction(engine, 'BatchMatMul', parameters);
  const aShape = shapeBytes(a.transposed ? [1, inner, rows] : [1, rows, inner]);
  const bShape = shapeBytes(b.transposed ? [1, columns, inner] : [1, inner, columns]);
  const call = (aId: number, bId: number, outId: number): void => {
    run(aId, aShape, 3, bId, bShape, 3, a.transposed, b.transposed, outId);
  };
  const aHeap = heapTensor(engine, a.tensor);
  const bHeap = heapTensor(engine, b.tensor);
  const outHeap = heapTensor(engine, out);
  if (keepPacked && !b.transposed && isPackedAs(b.tensor, inner, columns)) {
    call(aHeap.id, bHeap.id, outHeap.id);
    return;
  }
  // What is packed for a view goes with it.
  const [aView, bView, outView] = [new HeapView(engine), new HeapView(engine), new HeapView(engine)];
  for (let index = 0; index < batch; index++) {
    aView.point(rows * inner, aHeap.memoryOffset + FLOAT_BYTES * a.indices[index]! * rows * inner);
    bView.point(inner * columns, bHeap.memoryOffset + FLOAT_BYTES * b.indices[index]! * inner * columns);
    outView.point(rows * columns, outHeap.memoryOffset + FLOAT_BYTES * index * rows * columns);
    call(aView.id, bView.id, outView.id);
  }
  for (const view of [aView, bView, outView]) view.release();
}

const packedShapes = new WeakMap<object, string>();

/**
 * Whether the data of `b` was never packed with other sizes. The backend keeps packed matrices by tensor number alone,
 * and a reshaped tensor has the same number: it would multiply with the sizes of the first use.
 */
function isPackedAs(b: tf.TensorInfo, inner: number, columns: number): boolean {
  const sizes = `${inner} x ${columns}`;
  const first = packedShapes.get(b.dataId) ?? sizes;
  packedShapes.set(b.dataId, first);
  return first === sizes;
}

function zeros(engine: WasmEngine, shape: number[]): tf.TensorInfo {
  const out = engine.makeOutput(shape, 'float32');
  const { memoryOffset } = heapTensor(engine, out);
  engine.wasm.HEAPU8.fill(0, memoryOffset, memoryOffset + FLOAT_BYTES * tf.util.sizeFromShape(shape));
  return out;
}
