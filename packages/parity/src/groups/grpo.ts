// Group f: the objectives of reinforcement learning, of a weaver or of a trigger.
import { z } from 'zod';
import type { Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { checkTriggerGrpo } from './grpo-trigger.js';
import { checkWeaverGrpo } from './grpo-weaver.js';

const meta = z.object({ kind: z.enum(['weaver', 'trigger']) });

export async function checkGrpo(golden: GoldenCase, compare: Comparison): Promise<void> {
  const { kind } = await golden.json(meta, 'meta.json');
  await (kind === 'weaver' ? checkWeaverGrpo(golden, compare) : checkTriggerGrpo(golden, compare));
}
