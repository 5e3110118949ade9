// A trigger of one's own: a rule without parameters, which weaves only once the text holds a question mark.
import { join } from 'node:path';
import { MemGenError, writeFileAtomically } from '@memgen/common';
import {
  eager,
  readJsonFile,
  SessionRows,
  type Tokenizer,
  type Trigger,
  type TriggerSession,
  type TriggerSessionOptions,
} from '@memgen/core';
import * as tf from '@tensorflow/tfjs';

const fileName = 'trigger-rule.json';

export class QuestionTrigger implements Trigger {
  constructor(private readonly tokenizer: Tokenizer) {}

  /** Reads what {@link QuestionTrigger.save} wrote: nothing but the name of the rule. */
  static async load(folder: string, tokenizer: Tokenizer): Promise<QuestionTrigger> {
    const where = join(folder, fileName);
    const { rule } = await readJsonFile(where);
    if (rule === 'question') return new QuestionTrigger(tokenizer);
    throw new MemGenError({ code: 'question-trigger', where, message: 'another rule', got: String(rule) });
  }

  parameters(): Map<string, tf.Variable> {
    return new Map();
  }

  begin(options: TriggerSessionOptions): TriggerSession {
    const { tokenizer } = this;
    const { execution = eager } = options;
    const rows = new SessionRows(options);
    /** For each row, whether a question mark was read: all that has to be kept between calls. */
    let asked = Array.from({ length: options.batch }, () => false);
    return {
      judge(ids, mask) {
        const columns = rows.read(mask);
        if (ids.length !== mask.length || ids.some((row) => row.length !== columns)) {
          throw new MemGenError({ code: 'session-columns', message: 'ids and mask must have the same shape' });
        }
        const logits = ids.flatMap((row, b) =>
          row.map((id, t) => {
            if (mask[b]![t] === 1 && tokenizer.decode([id]).includes('?')) asked[b] = true;
            // Class 1 is "weave"; far enough apart that a trigger temperature of 1 hardly ever decides otherwise.
            return asked[b] ? [0, 10] : [10, 0];
          }),
        );
        return execution.constants(() => [tf.tensor2d(logits)])[0] as tf.Tensor2D;
      },
      select(chosen) {
        rows.select(chosen);
        asked = chosen.map((row) => asked[row]!);
      },
      dispose: () => undefined,
    };
  }

  save(folder: string): Promise<void> {
    return writeFileAtomically(join(folder, fileName), '{ "rule": "question" }\n');
  }

  dispose(): void {
    // Nothing is held.
  }
}
