// What an experiment is about: rows to learn from, what a policy is rewarded for, rows to be tested on.
import type { EvaluationRow } from '@memgen/bench';
import type { ChatMessage, Environment, RewardFunction, RewardSample } from '@memgen/common';
import type { CompletionReward } from '@memgen/grpo';
import type { FactGroup } from '@memgen/runs';

/** A conversation to learn from. */
export interface TrainingExample {
  /** Named in errors, e.g. `gsm8k/train/17`. */
  name: string;
  messages: readonly ChatMessage[];
}

/** A question of a test; where there is an environment, `messages` only show what it is about. */
export interface Question extends EvaluationRow {
  /** For the environment. */
  task?: unknown;
}

/** Questions that belong together in the results. */
export interface TestSet {
  /** Prefix of the families in answers.jsonl and metrics. */
  name: string;
  title: string;
  /** The title in a word or two, for charts. @default the title */
  label?: string;
  /**
   * `memory`: what the experiment is about. `skills`: what the reasoner could do before; without latents it must answer as
   * it did, to the bit.
   */
  purpose: 'memory' | 'skills';
  questions: readonly Question[];
  /** Families that make the headline figure. @default all */
  headline?: readonly string[];
  /** Answered over several turns; right with a reward of 1. @default one turn, judged by the task's `score` */
  environment?: () => Environment<unknown>;
}

/** What the manifest says about data. */
export interface DataFacts {
  name: string;
  source: string;
  sha256: string;
  rows: number;
  /** Nothing is learned from it: a resumed run may have another. */
  test_only?: true;
}

export interface Score {
  extracted: string | undefined;
  correct: boolean;
}

/** Reward functions that a configuration may give weights to. */
export type RewardName = 'correct' | 'form' | 'partial';

/** What a policy is trained on. Rewards and environments are each for their own kind of rows. */
export interface PolicyProblem {
  /** `task` is what rewards, or the environment, are given. */
  rows: readonly { messages: readonly ChatMessage[]; task: unknown }[];
  /** Of several turns; its reward is `correct`. @default one turn */
  environment?: () => Environment<unknown>;
  rewards: Partial<Record<RewardName, CompletionReward<unknown>>>;
}

export interface Task {
  /** A few sentences for the reader of the report. */
  story: string;
  /** Solved rows; none where there are only rewards. */
  training: readonly TrainingExample[];
  /** The rows of training are a curriculum, learned in their order. @default false */
  keepsOrder?: boolean;
  /** Held-out rows whose loss is measured; may be empty. */
  validation: readonly TrainingExample[];
  policy: PolicyProblem;
  tests: readonly TestSet[];
  score: (completion: string, question: Question) => Score | Promise<Score>;
  data: readonly DataFacts[];
  /** What was counted in this session, for the report. */
  counted?: () => FactGroup;
  /** Frees what rewards and environments hold. */
  dispose?: () => Promise<void>;
}

/** A reward among others of a task: it is only ever given rows of that task. */
export function ofTask<Row>(reward: RewardFunction<Row>): CompletionReward<unknown> {
  return { name: reward.name, score: (samples) => reward.score(samples as readonly RewardSample<Row>[]) };
}
