// What an addon can compute in place of the kernels here: native/kernels.cc, for vectors longer than WebAssembly has. The
// module imports it under the name of this file.

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
