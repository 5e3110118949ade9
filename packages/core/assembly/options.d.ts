/** Whether the engine will join neighbouring vectors into vectors of 256 bits; given to the compiler by scripts/build-kernels.ts. */
declare const WIDE_VECTORS: boolean;
