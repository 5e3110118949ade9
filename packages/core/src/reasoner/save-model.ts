// Writes a decoder as a Hugging Face folder's weight file.
import { join } from 'node:path';
import { writeSafetensors } from '../formats/index.js';
import { exportDecoderWeights } from '../model/decoder-weights.js';
import type { Decoder } from '../model/decoder.js';

/**
 * Writes `model.safetensors` into a folder that holds config.json and the tokenizer.
 * @param dtype - BF16 rounds to nearest even. @default 'BF16'
 */
export async function saveDecoderWeights(
  decoder: Decoder,
  folder: string,
  { dtype = 'BF16' }: { dtype?: 'F32' | 'F16' | 'BF16' } = {},
): Promise<void> {
  const tensors = await exportDecoderWeights(decoder.weights, decoder.config);
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    tensors.map((tensor) => ({ ...tensor, dtype })),
  );
}
