// What an addon can compute in place of the kernels here: those of the folder native, for vectors longer than WebAssembly
// has. The module imports them under the name of this file.

/** Whether there is an addon; else its functions do nothing. */
export declare const present: bool;

/** `multiply` of multiply.ts, with the same results. */
export declare function multiply(
  wide: bool,
  x: usize,
  rows: i32,
  inputs: i32,
  weights: usize,
  bias: usize,
  outputs: i32,
  y: usize,
  accumulate: bool,
  first: i32,
  end: i32,
): void;

/** `attendHeads` of attention.ts. */
export declare function attend(
  tasks: usize,
  layerOffset: usize,
  heads: i32,
  group: i32,
  headSize: i32,
  scores: usize,
  first: i32,
  end: i32,
): void;

/** `gatedActivation` of elementwise.ts, with the same results. */
export declare function activate(x: usize, y: usize, rows: i32, size: i32): void;
