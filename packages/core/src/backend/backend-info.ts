// Names of the compute backends and what is told about one that was started.

/**
 * The backends this package can start, in the order in which they are tried. `tensorflow-gpu` is TensorFlow computing on
 * a GPU; `tensorflow` is whichever TensorFlow there is. For tfjs both are its backend `tensorflow`.
 */
export const backendNames = ['tensorflow-gpu', 'tensorflow', 'webgpu', 'wasm', 'cpu'] as const;

/** One of {@link backendNames}. */
export type BackendName = (typeof backendNames)[number];

/** A backend that was tried and did not start. */
export interface FailedBackend {
  name: BackendName;
  /** One sentence: why it did not start. */
  problem: string;
}

/** What runs the tensors of this process, and how it was chosen. */
export interface BackendInfo {
  name: BackendName;
  device: 'cpu' | 'gpu';
  /** Version of the engine, e.g. `"4.22.0 on libtensorflow 2.20.0"`. */
  version: string;
  /** Threads of one operation; absent where the engine does not say. */
  threads?: number;
  /** One sentence for people: why this backend. */
  reason: string;
  /** Backends that were tried before, in order. */
  tried: FailedBackend[];
}

/** What an engine reports about itself once it runs. */
export type StartedEngine = Pick<BackendInfo, 'device' | 'version' | 'threads'>;

export function isBackendName(text: string): text is BackendName {
  return (backendNames as readonly string[]).includes(text);
}
