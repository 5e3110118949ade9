// What a chat template writes between two turns of the model, so that an observation can be appended to ids that stay.
import { MemGenError, type ChatMessage } from '@memgen/common';
import type { ChatTemplate, Tokenizer } from '@memgen/core';

/**
 * Everything from the end of the assistant's words to the place where the assistant goes on: the end of its message, the
 * observation as the user's message, the header of the next. What was read and written before is not rendered again.
 * @param messages - the conversation before that turn.
 * @throws MemGenError `episode-template` if the template does not show the assistant's words exactly once.
 */
export function textAfterTurn(template: ChatTemplate, messages: readonly ChatMessage[], observation: string): string {
  const everything = [observation, ...messages.map(({ content }) => content)].join('\n');
  let marker = 'turn';
  while (everything.includes(marker) || template.source.includes(marker)) marker += 'x';
  const rendered = template.render(
    [...messages, { role: 'assistant', content: marker }, { role: 'user', content: observation }],
    { addGenerationPrompt: true },
  );
  const parts = rendered.split(marker);
  if (parts.length === 2) return parts[1]!;
  throw new MemGenError({
    code: 'episode-template',
    message: "the end of the assistant's turn cannot be found in the rendered conversation",
    got: `its words stand there ${parts.length - 1} times`,
    expected: 'once',
    hint: 'use the ChatML template of MemGen',
  });
}

/** The same as tokens; the end of the message is left out where the model has written it itself. */
export function idsAfterTurn(tokenizer: Tokenizer, text: string, lastId: number | undefined): number[] {
  const ids = tokenizer.encode(text);
  return ids[0] === lastId && tokenizer.isSpecial(ids[0]!) ? ids.slice(1) : ids;
}

/** At most `limit` tokens of a text; one that is cut ends in `...`, as in the reference. */
export function cutObservation(tokenizer: Tokenizer, text: string, limit: number): string {
  const ids = limit === Infinity ? [] : tokenizer.encode(text);
  return ids.length > limit ? `${tokenizer.decode(ids.slice(0, limit))}...` : text;
}
