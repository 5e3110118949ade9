// Reading and writing of safetensors files.
export { openSafetensors } from './open-safetensors.js';
export type { SafetensorsFile } from './safetensors-file.js';
export { writeSafetensors, type TensorToWrite } from './write-safetensors.js';
