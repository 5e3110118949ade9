// Turning models into Hugging Face folders.
export { convertModel, type ConvertedModel, type ConvertModelOptions } from './convert-model.js';
export type { WeightDtype } from '../formats/safetensors/narrow-floats.js';
export { exportOfficial, type ExportedCheckpoint, type ExportOfficialOptions } from './export-official.js';
