// Loads a reasoner from a folder, a Hugging Face cache, the hub or a GGUF file.
import { join } from 'node:path';
import {
  openGguf,
  ggufToConfig,
  ggufToTokenizer,
  openWeights,
  readJsonFile,
  type TensorSource,
} from '../formats/index.js';
import { resolveModel, type ResolveModelOptions } from '../hub/index.js';
import { readDecoderConfig } from '../model/decoder-config.js';
import { loadDecoderWeights } from '../model/decoder-weights.js';
import { Decoder } from '../model/decoder.js';
import { addBfloat16Copies, type MatmulPrecision } from '../model/matmul-precision.js';
import { requireBfloat16 } from '../ops/bfloat16-mat-mul.js';
import { Tokenizer } from '../text/tokenizer.js';
import { checkMemory } from './check-memory.js';
import { configHash } from './config-hash.js';
import { estimateMemory } from './memory-estimate.js';
import type { Reasoner, ReasonerOrigin } from './reasoner.js';

export interface LoadReasonerOptions extends ResolveModelOptions {
  /** Precision of the products with the frozen matrices. @default 'float32' */
  matmulPrecision?: MatmulPrecision | undefined;
}

/**
 * Reads configuration, tokenizer and weights. Weights become float32 on the current backend: 4 bytes each, whatever the
 * file holds.
 * @param source - a Hugging Face folder, a `.gguf` file, or a hub id such as `HuggingFaceTB/SmolLM2-135M-Instruct`.
 * @throws MemGenError of finding, reading and checking the files; `memory` when the weights do not fit into free memory;
 * `bfloat16` for that precision on a backend without it.
 */
export async function loadReasoner(source: string, options: LoadReasonerOptions = {}): Promise<Reasoner> {
  const found = await resolveModel(source, options);
  const opened = found.kind === 'gguf' ? await openGgufModel(found.path) : await openFolder(found.path);
  const { tensors, format, configJson, tokenizer, where } = opened;
  try {
    const config = readDecoderConfig(configJson, where);
    const { matmulPrecision = 'float32' } = options;
    checkMemory(estimateMemory(config, { matmulPrecision }).toLoad, { where: source });
    if (matmulPrecision === 'bfloat16') requireBfloat16();
    const weights = await loadDecoderWeights(tensors, config);
    if (matmulPrecision === 'bfloat16') addBfloat16Copies(weights);
    const decoder = new Decoder(config, weights);
    const sizes = [...tensors.tensors.values()].map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    return {
      decoder,
      tokenizer,
      parameterCount: sizes.reduce((sum, size) => sum + size, 0),
      origin: {
        source,
        revision: found.revision,
        format,
        configHash: configHash(configJson),
      },
    };
  } finally {
    await tensors.close();
  }
}

interface OpenedModel {
  tensors: TensorSource;
  format: ReasonerOrigin['format'];
  configJson: unknown;
  tokenizer: Tokenizer;
  where: string;
}

async function openFolder(path: string): Promise<OpenedModel> {
  const where = join(path, 'config.json');
  const configJson = await readJsonFile(where, 'the configuration of the model');
  const tokenizer = await Tokenizer.fromFolder(path);
  const { weights, format } = await openWeights(path);
  return { configJson, tokenizer, where, tensors: weights, format };
}

async function openGgufModel(path: string): Promise<OpenedModel> {
  const tensors = await openGguf(path);
  try {
    const { tokenizerJson, tokenizerConfig } = ggufToTokenizer(tensors);
    const configJson = ggufToConfig(tensors);
    const tokenizer = Tokenizer.fromJson(tokenizerJson, tokenizerConfig, { where: path });
    return { tensors, format: 'gguf', configJson, tokenizer, where: path };
  } catch (error) {
    await tensors.close();
    throw error;
  }
}
