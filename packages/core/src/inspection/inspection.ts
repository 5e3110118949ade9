// What an inspection tells of a model, an adapter, a checkpoint or a file of tensors.
import type { TensorInfo, WeightFormat } from '../formats/index.js';
import type { AdapterFacts } from './adapter-facts.js';
import type { ArchitectureFacts } from './architecture-facts.js';
import type { FileSize } from './list-files.js';
import type { ModelMemory } from './model-memory.js';
import type { Problem } from './problem.js';
import type { TokenizerFacts } from './tokenizer-facts.js';

interface Inspected {
  /** As it was asked for. */
  source: string;
  /** Absolute. */
  path: string;
  /** Of the folder itself and of a checkpoint's parts, by name. */
  files: FileSize[];
  /** All stored tensors. */
  tensors: TensorInfo[];
  /** What this package cannot read or run of it; empty if it can. */
  problems: Problem[];
}

/** A language model: a Hugging Face folder or a GGUF file. */
export interface InspectedModel extends Inspected {
  kind: 'model';
  format: WeightFormat | 'gguf';
  /** Commit on the hub, for models of the cache. */
  revision?: string | undefined;
  /** As far as the configuration says it, also of models that cannot be run. */
  architecture: ArchitectureFacts;
  tokenizer?: TokenizerFacts | undefined;
  /** Stored tensors that the model has no use for. */
  unusedTensors: string[];
  /** Only for models whose configuration can be run. */
  memory?: ModelMemory | undefined;
}

/** An adapter folder of the PEFT library. */
export interface InspectedAdapter extends Inspected {
  kind: 'adapter';
  adapter: AdapterFacts;
}

/** A checkpoint folder of this project. */
export interface InspectedCheckpoint extends Inspected {
  kind: 'checkpoint';
  version?: number | undefined;
  /** The model that it belongs to. */
  reasoner: { source?: string | undefined; revision?: string | undefined; configHash?: string | undefined };
  parts: { name: string; parameters: number; adapter?: AdapterFacts | undefined }[];
}

/** A safetensors file, or a folder of nothing else. */
export interface InspectedTensors extends Inspected {
  kind: 'tensors';
  /** `__metadata__` of the file. */
  metadata: Record<string, string>;
}

export type Inspection = InspectedModel | InspectedAdapter | InspectedCheckpoint | InspectedTensors;
