// What a model loader sees of a weight file, whatever its format.

/** One stored tensor. */
export interface TensorInfo {
  /** Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  /** Storage type by its own name: `F32`, `BF16`, ... of safetensors, `Q4_1`, ... of GGUF. */
  readonly dtype: string;
  /** Row-major, as PyTorch gives it; a linear weight is `[out, in]`. */
  readonly shape: readonly number[];
  /** Size in the file. */
  readonly byteLength: number;
}

/** An open weight file (or folder of shards). Nothing is kept in memory but its directory; the caller closes it. */
export interface TensorSource {
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Reads one tensor as float32, row-major.
   *
   * @throws MemGenError `tensor-missing`, or `tensor-type` if it does not hold floating-point numbers.
   */
  readFloat32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}
