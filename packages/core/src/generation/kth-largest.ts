// The k-th largest of many numbers without sorting them all: a heap of the k largest seen so far.

/**
 * The k-th largest value, equal ones counted each. Linear in the number of values for a k much smaller than it.
 * @param values - none of them NaN.
 * @param k - 1 to `values.length`.
 */
export function kthLargest(values: Float32Array, k: number): number {
  // A binary min-heap: its root is the least of the k largest.
  const heap = values.slice(0, k);
  for (let i = (k >> 1) - 1; i >= 0; i--) siftDown(heap, i);
  let least = heap[0]!;
  for (let i = k; i < values.length; i++) {
    const value = values[i]!;
    if (value <= least) continue;
    heap[0] = value;
    siftDown(heap, 0);
    least = heap[0];
  }
  return least;
}

function siftDown(heap: Float32Array, start: number): void {
  const value = heap[start]!;
  let at = start;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}
