// Names of the kernels for products in bfloat16; a backend has them or it does not.

/** Input `x [rows, columns]` float32; output a bfloat16 copy that only {@link matMulKernel} can read. */
export const castKernel = 'MemgenToBfloat16';

/** Inputs `x [rows, in]` float32 and `weight`, a bfloat16 copy of `[in, out]`; attribute `transposed`; output float32. */
export const matMulKernel = 'MemgenBfloat16MatMul';
