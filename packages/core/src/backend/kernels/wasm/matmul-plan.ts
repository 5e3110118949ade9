// Chooses how the wasm backend multiplies matrices of given sizes: plain loops, or XNNPACK in one of two orders.

/** Sizes of one product of a batch: `[rows, inner] x [inner, columns]`. */
export interface MatMulSizes {
  rows: number;
  inner: number;
  columns: number;
  /** `a` is stored as `[inner, rows]`. */
  transposeA: boolean;
  /** `b` is stored as `[columns, inner]`. */
  transposeB: boolean;
  /** Matrices in `a`, in `b` and in the result; `a` and `b` may be broadcast. */
  batchA: number;
  batchB: number;
  batch: number;
}

/**
 * - `loops`: the backend's own scalar loops, which take transposed operands as they are.
 * - `direct`: XNNPACK on `a x b`, for which `b` is packed.
 * - `swapped`: XNNPACK on `(bT x aT)T`, for which `a` is packed: right when `a` is the smaller one.
 */
export type MatMulPlan = 'loops' | 'direct' | 'swapped';

// Nanoseconds, measured with Node 20 on AVX-512. Only their ratios matter, and those are alike elsewhere.
const loopStep = 0.95; // one multiply-add
const panelStep = 0.065;
const panelStepOneRow = 0.12;
const sliceCall = 1800;
const transposeCall = 3000;
/** XNNPACK computes its output in panels of this many columns, the last one padded. */
const panel = 8;
/** Elements of a matrix that the caches hold; moving more costs about twice as much for each. */
const cached = 1 << 18;

/** The plan with the lowest estimated time. */
export function planMatMul({
  rows,
  inner,
  columns,
  transposeA,
  transposeB,
  batchA,
  batchB,
  batch,
}: MatMulSizes): MatMulPlan {
  // The backend keeps the packed form of such a b for the next call: weights are packed once.
  if (batch === 1 && !transposeA && !transposeB) return 'direct';
  const sizeA = rows * inner;
  const sizeB = inner * columns;
  // A matrix of one row is its own transpose in memory.
  const turnA = rows === 1 ? 0 : transpose(batchA, sizeA);
  const turnB = columns === 1 ? 0 : transpose(batchB, sizeB);
  const turnResult = rows === 1 || columns === 1 ? 0 : transpose(batch, rows * columns);
  const direct =
    (transposeA ? turnA : 0) + (transposeB ? turnB : 0) + batch * (pack(sizeB) + multiply(rows, inner, columns));
  const swapped =
    (transposeA ? 0 : turnA) +
    (transposeB ? 0 : turnB) +
    turnResult +
    batch * (pack(sizeA) + multiply(columns, inner, rows));
  const anyTransposed = transposeA || transposeB || rows === 1 || columns === 1;
  const loops = anyTransposed ? loopStep * batch * rows * inner * columns : Infinity;
  if (loops <= direct && loops <= swapped) return 'loops';
  return direct <= swapped ? 'direct' : 'swapped';
}

function transpose(matrices: number, size: number): number {
  return transposeCall + (size > cached ? 3 : 1) * matrices * size;
}

function pack(size: number): number {
  return sliceCall + (size > cached ? 5 : 3) * size;
}

function multiply(rows: number, inner: number, columns: number): number {
  return (rows === 1 ? panelStepOneRow : panelStep) * rows * inner * Math.ceil(columns / panel) * panel;
}
