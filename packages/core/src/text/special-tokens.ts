// Which ids end and pad a text, from the names that the files of a tokenizer give.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';

const generationConfigSchema = z.looseObject({
  eos_token_id: z.union([z.int().min(0), z.array(z.int().min(0))]).nullish(),
});

/** Id of the special token that a configuration calls `name`. */
export function tokenId(
  tokenizer: { idOf(token: string): number | undefined },
  name: string,
  content: string | undefined,
  where: string,
): number {
  const id = content === undefined ? undefined : tokenizer.idOf(content);
  if (id !== undefined) return id;
  throw new MemGenError({
    code: 'special-token',
    where,
    message: `the tokenizer has no ${name}`,
    got: content === undefined ? 'no such key' : `${JSON.stringify(content)}, which is not in the vocabulary`,
    expected: `${name} in tokenizer_config.json or special_tokens_map.json`,
    hint: 'generation cannot end without it: complete the files of the model',
  });
}

/** `eosId` first, then the other end tokens of a generation_config.json that the vocabulary has. */
export function endTokenIds(eosId: number, generationConfig: unknown, vocabularySize: number, where: string): number[] {
  const result = generationConfigSchema.safeParse(generationConfig ?? {});
  if (!result.success) {
    throw new MemGenError({
      code: 'special-token',
      where: `${where}: generation_config.json`,
      message: 'eos_token_id cannot be read',
      got: result.error.issues[0]?.message ?? 'an unknown fault',
      expected: 'a token id or a list of them',
    });
  }
  const ids = [eosId, result.data.eos_token_id ?? []].flat();
  return [...new Set(ids)].filter((id) => id < vocabularySize);
}
