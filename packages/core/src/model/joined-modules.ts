// Which modules of Hugging Face checkpoints lie side by side in one matrix: they read the same input.
import type { AdaptableModule } from './lora.js';

/** The matrices of a layer, and the modules whose outputs follow each other in each. */
export const joinedModules = {
  queryKeyValue: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  output: ['self_attn.o_proj'],
  gateUp: ['mlp.gate_proj', 'mlp.up_proj'],
  down: ['mlp.down_proj'],
} as const satisfies Record<string, readonly AdaptableModule[]>;

export type JoinedName = keyof typeof joinedModules;
export const joinedNames = Object.keys(joinedModules) as JoinedName[];
