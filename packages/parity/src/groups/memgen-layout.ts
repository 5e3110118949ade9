// layout.json, which all cases of one model of group c share.
import { z } from 'zod';
import type { GoldenCase } from '../golden-case.js';
import { loraSettings, type weavingModels } from '../golden-weaver.js';

const layout = z.object({
  reasoner: z.string(),
  weaver_base: z.string(),
  trigger_base: z.string(),
  from_config: z.object({
    weaver: z.object({ lora_config: loraSettings }),
    trigger: z.object({ lora_config: loraSettings }),
  }),
});

export async function layoutOf(golden: GoldenCase): Promise<z.infer<typeof weavingModels>> {
  const { reasoner, weaver_base, from_config } = await golden.json(layout, '..', 'layout.json');
  return { reasoner, weaver_base, lora: from_config.weaver.lora_config };
}

export async function triggerLayoutOf(
  golden: GoldenCase,
): Promise<{ base: string; lora: z.infer<typeof loraSettings> }> {
  const { trigger_base, from_config } = await golden.json(layout, '..', 'layout.json');
  return { base: trigger_base, lora: from_config.trigger.lora_config };
}
