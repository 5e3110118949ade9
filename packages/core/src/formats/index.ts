// File formats of models: safetensors, GGUF, PyTorch checkpoints, adapter folders.
export {
  ggufToConfig,
  ggufToTokenizer,
  openGguf,
  type GgufFile,
  type GgufMetadata,
  type GgufTokenizer,
  type GgufValue,
} from './gguf/index.js';
export {
  findTargetModules,
  loraRank,
  loraScaling,
  mergedWeights,
  readPeftAdapter,
  writePeftAdapter,
  type PeftAdapter,
  type PeftLoraConfig,
  type PeftModule,
} from './peft/index.js';
export { openSafetensors, writeSafetensors, type SafetensorsFile, type TensorToWrite } from './safetensors/index.js';
export { parseJsonObject, readJsonFile } from './json-file.js';
export { openWeights, type OpenedWeights } from './open-weights.js';
export type { WeightFormat } from './shard-index.js';
export { readTensors, type ArrayWithShape, type TensorInfo, type TensorSource } from './tensor-source.js';
export { openTorchPickle, type PickleScalar, type TorchPickleFile } from './torch-pickle/index.js';
export type { WeightFile } from './weight-file.js';
