// Describes a GGUF file.
import { ggufToConfig, ggufToTokenizer, openGguf } from '../formats/index.js';
import type { ResolvedModel } from '../hub/index.js';
import { readDecoderConfig } from '../model/decoder-config.js';
import { Tokenizer } from '../text/tokenizer.js';
import { describeArchitecture } from './architecture-facts.js';
import { compareTensors } from './expected-tensors.js';
import { outlineToConfig, readGgufOutline } from './gguf-outline.js';
import type { InspectedModel } from './inspection.js';
import { listFiles } from './list-files.js';
import { describeMemory } from './model-memory.js';
import { attempt, toProblem, type Problem } from './problem.js';
import { countParameters, plainInfos } from './stored-tensors.js';
import { describeGgufTokenizer } from './tokenizer-facts.js';

/** @throws MemGenError of {@link readGgufOutline}: what has no readable header cannot be described. */
export async function inspectGguf({ id: source, path, revision }: ResolvedModel): Promise<InspectedModel> {
  const problems: Problem[] = [];
  const outline = await readGgufOutline(path);
  const file = await attempt(problems, 'weights', () => openGguf(path));
  await file?.close();
  const json = file && (await attempt(problems, 'configuration', () => ggufToConfig(file)));
  const config = json && (await attempt(problems, 'configuration', () => readDecoderConfig(json, path)));
  if (file !== undefined) {
    await attempt(problems, 'tokenizer', () => {
      const { tokenizerJson, tokenizerConfig } = ggufToTokenizer(file);
      return Tokenizer.fromJson(tokenizerJson, tokenizerConfig, { where: path });
    });
  }
  const tensors = file === undefined ? outline.tensors : plainInfos(file.tensors.values());
  const compared = config && compareTensors(config, tensors, { quantised: true });
  problems.push(...(compared?.errors ?? []).map((error) => toProblem('weights', error)));
  return {
    kind: 'model',
    format: 'gguf',
    source,
    path,
    ...(revision !== undefined && { revision }),
    architecture: describeArchitecture(json ?? outlineToConfig(outline), countParameters(tensors), config),
    tokenizer: describeGgufTokenizer(outline.metadata),
    ...(config !== undefined && { memory: describeMemory(config) }),
    files: await listFiles(path),
    tensors,
    unusedTensors: compared?.unused ?? [],
    problems,
  };
}
