// What can be checked: the groups of the layout, their kinds of cases, and why some are not checked yet.
import type { Comparison } from '../compare.js';
import type { GoldenCase } from '../golden-case.js';
import { checkAugment } from './augment.js';
import { checkCheckpoint } from './checkpoint.js';
import { checkConversation } from './conversation.js';
import { checkDtypes } from './dtypes.js';
import { checkGeneration } from './generation.js';
import { checkGrpo } from './grpo.js';
import { checkInstruction, checkPrivateForward } from './instruction.js';
import { checkLora } from './lora.js';
import { checkModel } from './models.js';
import { checkSft } from './sft.js';
import { checkSmollm2Generation } from './smollm2-generation.js';
import { needsSmollm2 } from './smollm2-model.js';
import { checkSmollm2Plain } from './smollm2-plain.js';
import { checkSmollm2Training } from './smollm2-training.js';
import { checkTokenizer } from './tokenizers.js';
import { checkTrigger } from './trigger.js';

/** Cases of one form, told by the last part of their name. */
export type CaseKind = { pattern: RegExp } & (
  | {
      check: (golden: GoldenCase, compare: Comparison) => Promise<void>;
      /** Why this case cannot be checked, if it cannot. */
      skip?: (golden: GoldenCase) => Promise<string | undefined>;
    }
  | { unsupported: string }
);

export interface Group {
  /** Name of its folder in the layout. */
  folder: string;
  /** Where its cases are: the folder itself, its folders, the folders in those, or the JSON files in it. */
  cases: 'itself' | 'folders' | 'folders of folders' | 'json files';
  /** The first whose pattern fits counts. */
  kinds: readonly CaseKind[];
}

const any = /^/;

/** In the order in which they are checked. */
export const groups: readonly Group[] = [
  { folder: 'a_models', cases: 'folders', kinds: [{ pattern: any, check: checkModel }] },
  { folder: 'b_lora', cases: 'folders', kinds: [{ pattern: any, check: checkLora }] },
  {
    folder: 'c_memgen',
    cases: 'folders of folders',
    kinds: [
      { pattern: /^augment$/, check: checkAugment },
      { pattern: /^instruct_/, check: checkInstruction },
      { pattern: /^private_forward_/, check: checkPrivateForward },
      { pattern: /^conv_/, check: checkConversation },
      { pattern: /^trigger$/, check: checkTrigger },
      { pattern: /^checkpoint$/, check: checkCheckpoint },
      { pattern: any, unsupported: 'this kind of case is not known' },
    ],
  },
  { folder: 'd_generate', cases: 'folders', kinds: [{ pattern: any, check: checkGeneration }] },
  { folder: 'e_sft', cases: 'folders', kinds: [{ pattern: any, check: checkSft }] },
  { folder: 'f_grpo', cases: 'folders', kinds: [{ pattern: any, check: checkGrpo }] },
  { folder: 'g_tokenizers', cases: 'json files', kinds: [{ pattern: any, check: checkTokenizer }] },
  { folder: 'h_dtypes', cases: 'itself', kinds: [{ pattern: any, check: checkDtypes }] },
  {
    folder: 'i_smollm2',
    cases: 'json files',
    kinds: [
      { pattern: /^plain$/, check: checkSmollm2Plain, skip: needsSmollm2 },
      { pattern: /^memgen_generate_/, check: checkSmollm2Generation, skip: needsSmollm2 },
      { pattern: /^memgen_train$/, check: checkSmollm2Training, skip: needsSmollm2 },
      { pattern: any, unsupported: 'this kind of case is not known' },
    ],
  },
];
