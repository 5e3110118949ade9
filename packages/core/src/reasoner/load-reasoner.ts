// Loads a reasoner from a folder, a Hugging Face cache, the hub or a GGUF file.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  openGguf,
  ggufToConfig,
  ggufToTokenizer,
  openSafetensors,
  readJsonFile,
  type TensorSource,
} from '../formats/index.js';
import { resolveModel, type ResolveModelOptions } from '../hub/index.js';
import { readDecoderConfig } from '../model/decoder-config.js';
import { loadDecoderWeights } from '../model/decoder-weights.js';
import { Decoder } from '../model/decoder.js';
import { Tokenizer } from '../text/tokenizer.js';
import { checkMemory } from './check-memory.js';
import { estimateMemory } from './memory-estimate.js';
import type { Reasoner } from './reasoner.js';

export type LoadReasonerOptions = ResolveModelOptions;

/**
 * Reads configuration, tokenizer and weights. Weights become float32 on the current backend: 4 bytes each, whatever the
 * file holds.
 * @param source - a Hugging Face folder, a `.gguf` file, or a hub id such as `HuggingFaceTB/SmolLM2-135M-Instruct`.
 * @throws MemGenError of finding, reading and checking the files; `memory` when the weights do not fit into free memory.
 */
export async function loadReasoner(source: string, options: LoadReasonerOptions = {}): Promise<Reasoner> {
  const found = await resolveModel(source, options);
  const opened = found.kind === 'gguf' ? await openGgufModel(found.path) : await openFolder(found.path);
  const { tensors, configJson, tokenizer, where } = opened;
  try {
    const config = readDecoderConfig(configJson, where);
    checkMemory(estimateMemory(config).toLoad, { where: source });
    const decoder = new Decoder(config, await loadDecoderWeights(tensors, config));
    const sizes = [...tensors.tensors.values()].map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    return {
      decoder,
      tokenizer,
      parameterCount: sizes.reduce((sum, size) => sum + size, 0),
      origin: {
        source,
        revision: found.revision,
        format: found.kind === 'gguf' ? 'gguf' : 'safetensors',
        configHash: createHash('sha256').update(JSON.stringify(configJson)).digest('hex'),
      },
    };
  } finally {
    await tensors.close();
  }
}

interface OpenedModel {
  tensors: TensorSource;
  configJson: unknown;
  tokenizer: Tokenizer;
  where: string;
}

async function openFolder(path: string): Promise<OpenedModel> {
  const where = join(path, 'config.json');
  const configJson = await readJsonFile(where, 'the configuration of the model');
  const tokenizer = await Tokenizer.fromFolder(path);
  return { configJson, tokenizer, where, tensors: await openSafetensors(path) };
}

async function openGgufModel(path: string): Promise<OpenedModel> {
  const tensors = await openGguf(path);
  try {
    const { tokenizerJson, tokenizerConfig } = ggufToTokenizer(tensors);
    const configJson = ggufToConfig(tensors);
    return { tensors, configJson, tokenizer: Tokenizer.fromJson(tokenizerJson, tokenizerConfig), where: path };
  } catch (error) {
    await tensors.close();
    throw error;
  }
}
