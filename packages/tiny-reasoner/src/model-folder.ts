// Where the model lies on the disk.
import { fileURLToPath } from 'node:url';

/** The Hugging Face folder of the tiny reasoner: config.json, tokenizer files, model.safetensors, its card. */
export function modelFolder(): string {
  return fileURLToPath(new URL('../model', import.meta.url));
}
