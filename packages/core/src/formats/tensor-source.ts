// What a model loader sees of a weight file, whatever its format.

/** One stored tensor. */
export interface TensorInfo {
  /** Hugging Face name, e.g. `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  /** Storage type: `F32`, `BF16`, ... as safetensors names them (PyTorch files too), `Q4_1`, ... of GGUF. */
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
   * Reads one tensor as float32, row-major, into an array of the caller's own.
   *
   * @throws MemGenError `tensor-missing`, or `tensor-type` if it does not hold floating-point numbers.
   */
  readFloat32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Row-major values with their shape. */
export interface ArrayWithShape {
  shape: readonly number[];
  data: Float32Array;
}

/** Everything in a source; meant for the small files of adapters and heads. The source is closed. */
export async function readTensors(source: TensorSource): Promise<Map<string, ArrayWithShape>> {
  try {
    const tensors = new Map<string, ArrayWithShape>();
    for (const { name, shape } of source.tensors.values()) {
      tensors.set(name, { shape, data: await source.readFloat32(name) });
    }
    return tensors;
  } finally {
    await source.close();
  }
}
