// Scores of answers to questions: containment as the reference has it, and exact match after the usual normalisation.

/**
 * SQuAD's normalisation, as Search-R1 and most tables use it: lower case, no ASCII punctuation, no articles, single blanks.
 */
export function normalizeAnswer(answer: string): string {
  return answer
    .toLowerCase()
    .replaceAll(/[!-/:-@[-`{-~]/g, '')
    .replaceAll(/\b(?:a|an|the)\b/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
    .join(' ');
}

/** Whether the answer equals one of the aliases after {@link normalizeAnswer}. */
export function isExactMatch(answer: string, aliases: readonly string[]): boolean {
  const given = normalizeAnswer(answer);
  return aliases.some((alias) => normalizeAnswer(alias) === given);
}

/** Whether the first line of the answer contains one of the aliases, in lower case: the reference's rule. */
export function containsAlias(answer: string, aliases: readonly string[]): boolean {
  const line = answer.split('\n', 1)[0]!.toLowerCase();
  return aliases.some((alias) => alias !== '' && line.includes(alias.toLowerCase()));
}

/** Content of the last `<answer>...</answer>`, else of a last `<answer>` that is never closed; undefined without any. */
export function lastAnswer(text: string): string | undefined {
  const closed = Array.from(text.matchAll(/<answer>([^]*?)<\/answer>/g)).at(-1)?.[1];
  if (closed !== undefined) return closed.trim();
  const open = text.lastIndexOf('<answer>');
  return open < 0 ? undefined : text.slice(open + '<answer>'.length).trim();
}
