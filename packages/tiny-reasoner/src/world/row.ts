// One exercise of the tiny world, and the families it may belong to.
import type { ChatMessage } from '@memgen/common';

/** Questions about prices. */
export const priceFamilies = ['list_look', 'list_mul', 'list_sum', 'list_change', 'list_cmp'] as const;

/** Everything that has nothing to do with prices. */
export const otherFamilies = ['word', 'lst', 'day', 'clock', 'drill'] as const;

/** All families of pre-training. `list_say` reads prices out of a list; `list_none` asks for prices nobody gave. */
export const families = ['list_say', ...priceFamilies, 'list_none', ...otherFamilies] as const;

export type PriceFamily = (typeof priceFamilies)[number];
export type OtherFamily = (typeof otherFamilies)[number];
export type Family = (typeof families)[number];

/** A question and its worked answer. */
export interface WorldRow {
  family: string;
  messages: [ChatMessage & { role: 'user' }, ChatMessage & { role: 'assistant' }];
  /** How many characters at the start of the assistant's content are given, not to be learned (a note). 0 for most. */
  given: number;
  /** What the box of the right answer holds, trimmed. */
  answer: string;
}

/** Puts a final answer the way every row ends. */
export function boxed(answer: string | number): string {
  return `\\boxed{${answer}}`;
}

/** Builds a row. `note` goes before the answer in the assistant's turn and counts as given. */
export function worldRow(
  family: string,
  question: string,
  solution: { steps: string; answer: string | number },
  note = '',
): WorldRow {
  const steps = solution.steps === '' ? '' : `${solution.steps} `;
  const content = `${note}${steps}${boxed(solution.answer)}`;
  return {
    family,
    messages: [
      { role: 'user', content: question },
      { role: 'assistant', content },
    ],
    given: note.length,
    answer: String(solution.answer).trim(),
  };
}
