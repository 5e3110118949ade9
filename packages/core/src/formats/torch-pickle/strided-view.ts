// How a tensor looks at its storage: an offset, a shape and a stride per dimension, checked, and brought into row order.

/** All in elements. */
export interface StridedView {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Why a view is refused. */
export interface ViewProblem {
  readonly message: string;
  readonly got: string;
  readonly expected: string;
  readonly hint?: string;
}

/** Number of elements. */
export function viewSize({ shape }: StridedView): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** From the first to the last element that the view looks at, both included. */
export function viewSpan(view: StridedView): number {
  if (viewSize(view) === 0) return 0;
  return view.shape.reduce((span, size, i) => span + (size - 1) * view.strides[i]!, 1);
}

/**
 * Checks that the view stays inside of a storage of `elements` and meets none of them twice, so that it is never larger
 * than its storage.
 *
 * @param view - whole numbers from 0 on, as many strides as dimensions.
 */
export function findViewProblem(view: StridedView, elements: number): ViewProblem | undefined {
  const { offset, shape, strides } = view;
  const dimensions = shape.map((size, i) => ({ size, stride: strides[i]! })).filter(({ size }) => size !== 1);
  if (dimensions.some(({ size }) => size === 0)) return undefined;
  dimensions.sort((a, b) => a.stride - b.stride);
  const got = `shape [${shape.join(', ')}], strides [${strides.join(', ')}], offset ${offset}`;
  let last = 0;
  for (const { size, stride } of dimensions) {
    if (stride <= last) {
      return {
        message: 'a tensor shows the same numbers more than once',
        got,
        expected: 'a tensor with its own data',
        hint: 'save a copy of it: tensor.clone(memory_format=torch.contiguous_format)',
      };
    }
    last += (size - 1) * stride;
  }
  if (offset + last < elements) return undefined;
  return { message: 'a tensor reaches outside of its storage', got, expected: `at most ${elements} elements` };
}

/** Whether the elements lie one after the other in row order. */
export function isRowMajor(view: StridedView): boolean {
  if (viewSize(view) === 0) return true;
  let next = 1;
  for (let i = view.shape.length - 1; i >= 0; i--) {
    const size = view.shape[i]!;
    if (size !== 1 && view.strides[i] !== next) return false;
    next *= size;
  }
  return true;
}

/**
 * Copies the elements of a view into row order.
 *
 * @param span - bytes from the first to the last element, aligned to the element size.
 * @param elementBytes - 1, 2, 4 or 8.
 */
export function gatherView(span: Uint8Array<ArrayBuffer>, view: StridedView, elementBytes: number) {
  const { buffer, byteOffset } = span;
  const count = viewSize(view);
  const target = new Uint8Array(count * elementBytes);
  const words = viewSpan(view);
  switch (elementBytes) {
    case 1:
      copyElements(span, view, target);
      break;
    case 2:
      copyElements(new Uint16Array(buffer, byteOffset, words), view, new Uint16Array(target.buffer));
      break;
    case 4:
      copyElements(new Uint32Array(buffer, byteOffset, words), view, new Uint32Array(target.buffer));
      break;
    default:
      copyElements(new BigUint64Array(buffer, byteOffset, words), view, new BigUint64Array(target.buffer));
  }
  return target;
}

interface Words<Element> {
  readonly length: number;
  [index: number]: Element;
}

function copyElements<Element>(source: Words<Element>, { shape, strides }: StridedView, target: Words<Element>): void {
  const columns = shape.at(-1) ?? 1;
  const columnStride = strides.at(-1) ?? 0;
  const outer = shape.slice(0, -1);
  const index = outer.map(() => 0);
  let rowStart = 0;
  for (let row = 0; row < target.length; row += columns) {
    for (let column = 0, from = rowStart; column < columns; column++, from += columnStride) {
      target[row + column] = source[from]!;
    }
    // Counts the outer indices up like an odometer and moves the start of the row along.
    for (let i = outer.length - 1; i >= 0; i--) {
      rowStart += strides[i]!;
      if (++index[i]! < outer[i]!) break;
      rowStart -= outer[i]! * strides[i]!;
      index[i] = 0;
    }
  }
}
