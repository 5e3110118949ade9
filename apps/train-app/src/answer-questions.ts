// Lets a reasoner answer questions, with or without latents.
import type { Answer, EvaluationRow } from '@memgen/bench';
import { generate, type ChatTemplate, type Reasoner, type Weaver } from '@memgen/core';
import type { Task } from './tasks/task.js';

/** An answer with what it was made of. */
export interface GivenAnswer extends Answer {
  row: EvaluationRow;
  prompt: string;
  /** New tokens, the end token included. */
  ids: readonly number[];
  /** Places at which latents went in. */
  woven: number;
}

export interface AnswerOptions {
  arm: string;
  reasoner: Reasoner;
  template: ChatTemplate;
  /** Without one the reasoner answers alone. */
  weaver?: Weaver | undefined;
  maxInferencePoints: number;
  maxNewTokens: number;
  batchSize: number;
  score: Task['score'];
  signal: AbortSignal;
  /** Answers of an earlier, interrupted run, by row: a batch that has all of its answers here is not answered again. */
  known?: ReadonlyMap<string, KnownAnswer>;
  /** Takes answers as they come: new ones only, a batch at a time. */
  onAnswers?: (answers: readonly GivenAnswer[]) => void;
  onProgress: (done: number) => void;
}

/** What is to be kept of an answer; the rest follows from its row. */
export type KnownAnswer = Pick<GivenAnswer, 'ids' | 'woven'>;

/** Greedy answers, in the order of the questions; fewer when the signal comes. */
export async function answerQuestions(
  questions: readonly EvaluationRow[],
  options: AnswerOptions,
): Promise<GivenAnswer[]> {
  const { arm, reasoner, template, weaver, batchSize, signal, maxNewTokens, maxInferencePoints } = options;
  const prompts = questions.map(({ messages }) => {
    const text = template.render(messages, { addGenerationPrompt: true });
    return { text, ids: reasoner.tokenizer.encode(text) };
  });
  // Prompts of like length share a batch: less padding. The order of the answers stays that of the questions.
  const order = questions.map((_, i) => i).sort((a, b) => prompts[a]!.ids.length - prompts[b]!.ids.length || a - b);
  const complete = (index: number, { ids, woven }: KnownAnswer): GivenAnswer => {
    const row = questions[index]!;
    const completion = reasoner.tokenizer.decode(ids, { skipSpecialTokens: true });
    const scored = options.score(completion, row.solution);
    return { rowId: row.id, row, arm, prompt: prompts[index]!.text, ids, completion, ...scored, woven };
  };
  const answers: GivenAnswer[] = [];
  for (let start = 0; start < order.length && !signal.aborted; start += batchSize) {
    const batch = order.slice(start, start + batchSize);
    const earlier = batch.map((index) => options.known?.get(questions[index]!.id));
    if (earlier.every((answer) => answer !== undefined)) {
      answers.push(...earlier.map((answer, b) => complete(batch[b]!, answer)));
    } else {
      const rows = await generate(
        reasoner,
        batch.map((index) => prompts[index]!.ids),
        { maxNewTokens, maxInferencePoints, weaver, signal },
      );
      if (signal.aborted) break;
      const given = rows.map(({ ids, augmentations }, b) =>
        complete(batch[b]!, { ids, woven: augmentations.filter((place) => place === 1).length }),
      );
      options.onAnswers?.(given.filter((_, b) => earlier[b] === undefined));
      answers.push(...given);
    }
    options.onProgress(answers.length);
  }
  const place = new Map(questions.map(({ id }, i) => [id, i]));
  return answers.sort((a, b) => place.get(a.rowId)! - place.get(b.rowId)!);
}
