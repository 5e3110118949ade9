// Scoring: what stands in the first box of a completion, compared with the answer.

/** Content of the first `\boxed{…}`, trimmed, or `undefined` when there is none. */
export function boxedAnswer(completion: string): string | undefined {
  return /\\boxed\{([^{}]*)\}/.exec(completion)?.[1]?.trim();
}

/** 1 when the first box holds exactly the answer (blanks around it do not count), else 0. */
export function exactMatch(completion: string, answer: string): 0 | 1 {
  return boxedAnswer(completion) === answer.trim() ? 1 : 0;
}
