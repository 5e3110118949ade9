// Describes a model in a Hugging Face folder.
import { join } from 'node:path';
import { readJsonFile } from '../formats/index.js';
import type { ResolvedModel } from '../hub/index.js';
import { readDecoderConfig } from '../model/decoder-config.js';
import { readTokenizerFiles } from '../text/tokenizer-files.js';
import { Tokenizer } from '../text/tokenizer.js';
import { describeArchitecture } from './architecture-facts.js';
import { compareTensors } from './expected-tensors.js';
import type { InspectedModel } from './inspection.js';
import { listFiles } from './list-files.js';
import { describeMemory } from './model-memory.js';
import { attempt, toProblem, type Problem } from './problem.js';
import { countParameters, readFolderInfos } from './stored-tensors.js';
import { describeTokenizer } from './tokenizer-facts.js';

/** All that can be read of it is told; what cannot becomes a problem. */
export async function inspectFolder({ id: source, path, revision }: ResolvedModel): Promise<InspectedModel> {
  const problems: Problem[] = [];
  const json = await attempt(problems, 'configuration', () =>
    readJsonFile(join(path, 'config.json'), 'the configuration of the model'),
  );
  const config = json && (await attempt(problems, 'configuration', () => readDecoderConfig(json, 'config.json')));
  const files = await attempt(problems, 'tokenizer', () => readTokenizerFiles(path));
  if (files !== undefined) {
    const { tokenizerJson, tokenizerConfig, ...extras } = files;
    await attempt(problems, 'tokenizer', () =>
      Tokenizer.fromJson(tokenizerJson, tokenizerConfig, { ...extras, where: path }),
    );
  }
  const weights = await attempt(problems, 'weights', () => readFolderInfos(path));
  const tensors = weights?.tensors ?? [];
  const compared = weights && config && compareTensors(config, tensors, { quantised: false });
  problems.push(...(compared?.errors ?? []).map((error) => toProblem('weights', error)));
  return {
    kind: 'model',
    format: weights?.format ?? 'safetensors',
    source,
    path,
    ...(revision !== undefined && { revision }),
    architecture: describeArchitecture(json ?? {}, countParameters(tensors), config),
    ...(files !== undefined && { tokenizer: describeTokenizer(files) }),
    ...(config !== undefined && { memory: describeMemory(config) }),
    files: await listFiles(path),
    tensors,
    unusedTensors: compared?.unused ?? [],
    problems,
  };
}
