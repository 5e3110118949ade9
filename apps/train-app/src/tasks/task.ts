// What an experiment is about: rows to learn from, rows to be tested on.
import type { ChatMessage } from '@memgen/common';
import type { EvaluationRow } from '@memgen/bench';

/** A conversation to learn from. */
export interface TrainingExample {
  /** Named in errors, e.g. `gsm8k/train/17`. */
  name: string;
  messages: readonly ChatMessage[];
}

/** Questions that belong together in the results. */
export interface TestSet {
  /** Prefix of the families in answers.jsonl and metrics. */
  name: string;
  title: string;
  /**
   * `memory`: what the weaver was trained for. `skills`: what the reasoner could do before; without latents it must answer
   * as it did, to the bit.
   */
  purpose: 'memory' | 'skills';
  questions: readonly EvaluationRow[];
  /** Families that make the headline figure. @default all */
  headline?: readonly string[];
}

/** What the manifest says about data. */
export interface DataFacts {
  name: string;
  source: string;
  sha256: string;
  rows: number;
}

export interface Task {
  /** A few sentences for the reader of the report. */
  story: string;
  training: readonly TrainingExample[];
  /** Held-out rows whose loss is measured; may be empty. */
  validation: readonly TrainingExample[];
  tests: readonly TestSet[];
  score: (completion: string, solution: string) => { extracted: string | undefined; correct: boolean };
  data: readonly DataFacts[];
}
