// The sizes that a config.json gives, of any architecture: read leniently, for telling, not for running.
import type { DecoderConfig } from '../model/decoder-config.js';

/** Absent where the configuration does not say it. */
export interface ArchitectureFacts {
  /** `model_type`, e.g. `qwen2`. */
  type?: string | undefined;
  /** Class of the transformers library. */
  className?: string | undefined;
  layers?: number | undefined;
  hiddenSize?: number | undefined;
  intermediateSize?: number | undefined;
  heads?: number | undefined;
  keyValueHeads?: number | undefined;
  headSize?: number | undefined;
  vocabularySize?: number | undefined;
  maxPositions?: number | undefined;
  tiedEmbeddings?: boolean | undefined;
  rope?: RopeFacts | undefined;
  /** Stored weights, counted. */
  parameters: number;
}

export interface RopeFacts {
  theta?: number | undefined;
  /** Of the stretching of the context; absent where there is none. */
  scaling?: { type: string; factor?: number | undefined; originalContext?: number | undefined } | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * @param json - a parsed config.json.
 * @param parameters - counted weights.
 * @param config - for models that can be run: says what the file leaves to the defaults of its architecture.
 */
export function describeArchitecture(json: Json, parameters: number, config?: DecoderConfig): ArchitectureFacts {
  const heads = count(json.num_attention_heads);
  const hiddenSize = count(json.hidden_size);
  const [className] = Array.isArray(json.architectures) ? (json.architectures as unknown[]) : [];
  const divided = hiddenSize === undefined || heads === undefined ? undefined : hiddenSize / heads;
  return {
    type: text(json.model_type),
    className: text(className),
    layers: count(json.num_hidden_layers),
    hiddenSize,
    intermediateSize: count(json.intermediate_size),
    heads,
    keyValueHeads: config?.keyValueHeads ?? count(json.num_key_value_heads) ?? heads,
    headSize: config?.headSize ?? count(json.head_dim) ?? (Number.isInteger(divided) ? divided : undefined),
    vocabularySize: count(json.vocab_size),
    maxPositions: config?.maxPositions ?? count(json.max_position_embeddings),
    tiedEmbeddings: config?.tiedEmbeddings ?? flag(json.tie_word_embeddings),
    rope: describeRope(json),
    parameters,
  };
}

/** Transformers 5 writes all of it into `rope_parameters`. */
function describeRope(json: Json): RopeFacts | undefined {
  const settings = isRecord(json.rope_parameters) ? json.rope_parameters : undefined;
  const scaling = settings ?? (isRecord(json.rope_scaling) ? json.rope_scaling : undefined);
  const theta = positive(json.rope_theta) ?? positive(settings?.rope_theta);
  const type = text(scaling?.rope_type) ?? text(scaling?.type) ?? 'default';
  if (theta === undefined && scaling === undefined) return undefined;
  if (type === 'default') return { theta };
  return {
    theta,
    scaling: {
      type,
      factor: positive(scaling?.factor),
      originalContext: count(scaling?.original_max_position_embeddings),
    },
  };
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
