// Turning models into Hugging Face folders.
export { convertModel, type ConvertedModel, type ConvertModelOptions } from './convert-model.js';
export type { WeightDtype } from './narrow-floats.js';
