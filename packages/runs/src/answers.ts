// answers.jsonl: every answer of an evaluation with its row, so that each figure of a report can be looked into.
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from './json-lines.js';

const answerSchema = z.looseObject({
  /** Optimizer step of the weaver that was evaluated. */
  step: z.int().nonnegative(),
  /** e.g. `vanilla`, `random-weaver`, `weaver`. */
  arm: z.string(),
  /** Group of rows that is counted together, e.g. `sum_new`. */
  family: z.string(),
  /** Identifies the row within its family; the same in every arm, so that arms can be paired. */
  row: z.string(),
  prompt: z.string(),
  completion: z.string(),
  /** What a right completion contains. */
  solution: z.string(),
  correct: z.boolean(),
  /** Token ids of the completion, the end token included. */
  ids: z.array(z.int().nonnegative()).optional(),
  /** Places at which latents went in. */
  woven: z.int().nonnegative().optional(),
  /** Places at which they could have. */
  decisions: z.int().nonnegative().optional(),
});

/** One line of answers.jsonl; further members (latencies, probabilities) are kept. */
export type AnswerRecord = z.infer<typeof answerSchema>;

/** The answers of the run in `folder`, in the order they were written. @throws MemGenError naming a damaged line. */
export function readAnswers(folder: string): AnswerRecord[] {
  return readJsonLines(join(folder, 'answers.jsonl'), (value) => answerSchema.parse(value));
}
