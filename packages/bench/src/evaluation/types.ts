// What is asked, and what an arm of an evaluation answered.
import type { ChatMessage } from '@memgen/common';

/** One question of an evaluation. */
export interface EvaluationRow {
  /** Unique within an evaluation. */
  id: string;
  /** Kind of question; results are given per family and over all. */
  family: string;
  /** What the model is given; the last message is not the assistant's. */
  messages: ChatMessage[];
  /** What the answer is scored against. */
  solution: string;
}

/** A question with an answer to learn from. */
export interface SupervisedRow extends EvaluationRow {
  /** Content of the assistant's message. */
  completion: string;
}

/** One arm's answer to one row. */
export interface Answer {
  rowId: string;
  /** Name of the arm, e.g. `vanilla`. */
  arm: string;
  completion: string;
  /** Final answer found in the completion, if any. */
  extracted: string | undefined;
  correct: boolean;
}
