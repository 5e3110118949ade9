// Lets an arm answer questions, beginning after those that it has answered already.
import type { ChatTemplate } from '@memgen/core';
import type { Question } from '../tasks/task.js';
import { answerBatch, playBatch, type BatchOptions } from './answer-batch.js';
import type { Arm } from './arm.js';
import type { GivenAnswer, KnownAnswer } from './given-answer.js';

export interface AnswerOptions extends BatchOptions {
  arm: Arm;
  template: ChatTemplate;
  batchSize: number;
  /** Answers of an earlier, interrupted run, by row: a batch that has all of its answers here is not answered again. */
  known?: ReadonlyMap<string, KnownAnswer>;
  /** Takes answers as they come: new ones only, a batch at a time. */
  onAnswers?: (answers: readonly GivenAnswer[]) => void;
  onProgress: (done: number) => void;
}

/** Greedy answers, in the order of the questions; fewer when the signal comes. */
export async function answerQuestions(questions: readonly Question[], options: AnswerOptions): Promise<GivenAnswer[]> {
  const { arm, template, batchSize, signal, environment } = options;
  const prompts = questions.map(({ messages }) => {
    const text = template.render(messages, { addGenerationPrompt: true });
    return { text, ids: arm.reasoner.tokenizer.encode(text) };
  });
  // Prompts of like length share a batch: less padding. The order of the answers stays that of the questions.
  const order = questions.map((_, i) => i).sort((a, b) => prompts[a]!.ids.length - prompts[b]!.ids.length || a - b);
  const complete = (index: number, answer: KnownAnswer): GivenAnswer => {
    const row = questions[index]!;
    const { text: prompt } = prompts[index]!;
    return { rowId: row.id, row, arm: arm.name, prompt, extracted: undefined, ...answer };
  };
  const answers: GivenAnswer[] = [];
  for (let start = 0; start < order.length && !signal.aborted; start += batchSize) {
    const batch = order.slice(start, start + batchSize);
    const earlier = batch.map((index) => options.known?.get(questions[index]!.id));
    if (earlier.every((answer) => answer !== undefined)) {
      answers.push(...earlier.map((answer, b) => complete(batch[b]!, answer)));
    } else {
      const asked = batch.map((index) => ({ question: questions[index]!, ids: prompts[index]!.ids }));
      const rows = await (environment === undefined ? answerBatch : playBatch)(asked, options);
      if (rows === undefined) break;
      const given = rows.map((answer, b) => complete(batch[b]!, answer));
      options.onAnswers?.(given.filter((_, b) => earlier[b] === undefined));
      answers.push(...given);
    }
    options.onProgress(answers.length);
  }
  const place = new Map(questions.map(({ id }, i) => [id, i]));
  return answers.sort((a, b) => place.get(a.rowId)! - place.get(b.rowId)!);
}
