// What a step decoder refuses: backends that lend nothing, numbers of threads and of columns.
import { MemGenError } from '@memgen/common';
import { hostProduct, type HostProduct } from '../backend/kernels/tensorflow/host-product.js';

/** The product that the backend lends. */
export function requireHostProduct(): HostProduct {
  const product = hostProduct();
  if (product !== undefined) return product;
  throw new MemGenError({
    code: 'step-decoder-borrow',
    message: 'the current backend does not lend its matrices to a step decoder',
    expected: 'the tensorflow backend on the processor',
    hint: 'let the matrices be copied',
  });
}

export function checkThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1) return;
  throw new MemGenError({
    code: 'step-decoder-threads',
    message: 'the number of threads must be a whole number of at least 1',
    got: String(threads),
  });
}

/** @returns the sum of the columns that the rows read. */
export function checkCounts(counts: readonly number[], rows: number): number {
  if (counts.length !== rows || counts.some((count) => !Number.isInteger(count) || count < 0)) {
    throw new MemGenError({
      code: 'step-decoder-input',
      message: 'each row of the cache needs a count of columns',
      got: `[${counts.join(', ')}]`,
      expected: `${rows} whole numbers`,
    });
  }
  return counts.reduce((sum, count) => sum + count, 0);
}
