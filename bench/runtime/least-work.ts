// Work that no implementation gets around: the bytes and operations behind the limits.
import type { DecoderConfig } from '@memgen/core';

/** Weights of the matrices of all layers, the head aside. */
function layerWeights({ layers, hiddenSize, intermediateSize, heads, keyValueHeads, headSize }: DecoderConfig): number {
  const queries = heads * headSize;
  const keys = keyValueHeads * headSize;
  return layers * (hiddenSize * (queries + 2 * keys) + queries * hiddenSize + 3 * hiddenSize * intermediateSize);
}

/** Operations of causal attention over `tokens`, forwards: each token's products with those up to itself. */
function attentionOperations({ layers, heads, headSize }: DecoderConfig, tokens: number): number {
  return layers * heads * headSize * 2 * tokens * (tokens + 1);
}

/** Operations of reading a prompt: all layers for all tokens, the head for the last one. */
export function prefillOperations(config: DecoderConfig, tokens: number): number {
  const head = config.hiddenSize * config.vocabularySize;
  return 2 * layerWeights(config) * tokens + 2 * head + attentionOperations(config, tokens);
}

/**
 * Operations of a training step of adapters: forwards, and backwards with respect to the activations only, for the weights
 * are frozen. The adapters themselves are small. Every token is supervised, so the head reads all of them.
 */
export function adapterStepOperations(config: DecoderConfig, tokens: number): number {
  const head = config.hiddenSize * config.vocabularySize;
  const products = 2 * (layerWeights(config) + head) * tokens;
  // The gradient of a product of two activations is two products.
  return 2 * products + 3 * attentionOperations(config, tokens);
}

export interface DecodingSizes {
  batch: number;
  /** Columns in the cache, in the middle of the measurement. */
  columns: number;
  /** As they are stored for decoding, the head included. */
  weightBytes: number;
  /** Of one column of one row. */
  cacheBytes: number;
}

/** Bytes that one step of decoding reads: all weights once, and each row's keys and values. */
export function decodingBytes({ batch, columns, weightBytes, cacheBytes }: DecodingSizes): number {
  return weightBytes + batch * columns * cacheBytes;
}
