// A weaver on disk: `weaver.safetensors` (queries, norms, scales, projections) and a PEFT folder for its adapter.
import type { Decoder } from '@memgen/core';
import type { LatentWeaver } from './latent-weaver.js';

export interface LoadLatentWeaverOptions {
  base: Decoder;
}

export async function saveLatentWeaver(_weaver: LatentWeaver, _folder: string): Promise<void> {}
export async function loadLatentWeaver(_folder: string, _options: LoadLatentWeaverOptions): Promise<void> {}
