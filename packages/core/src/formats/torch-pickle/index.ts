// Reading of PyTorch checkpoints without running them.
export type { PickleScalar } from './pickle-values.js';
export { openTorchPickle, type TorchPickleFile } from './torch-pickle-file.js';
