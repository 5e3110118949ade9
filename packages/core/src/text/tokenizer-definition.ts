// Checks tokenizer.json and tokenizer_config.json and brings them into the one form the tokenizer library reads.
import { MemGenError } from '@memgen/common';
import { z } from 'zod';
import { withUnicodeParity } from './pre-tokenizer-parity.js';

/** Far above any real vocabulary (256 000 in 2025), far below what would exhaust memory. */
const maximumId = 2 ** 22;

const addedTokenSchema = z.looseObject({
  id: z.int().min(0).max(maximumId),
  content: z.string().min(1),
  special: z.boolean().default(false),
});
const idSchema = z.int().min(0).max(maximumId);
const componentSchema = z.looseObject({ type: z.string() });
const optionalComponent = componentSchema.nullable().default(null);

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).nullish(),
  normalizer: optionalComponent,
  pre_tokenizer: optionalComponent,
  post_processor: optionalComponent,
  decoder: optionalComponent,
  model: z.looseObject({
    type: z.enum(['BPE', 'WordPiece', 'Unigram']).optional(),
    vocab: z.union([z.record(z.string(), idSchema), z.array(z.tuple([z.string(), z.number()]))]),
    merges: z.union([z.array(z.string()), z.array(z.tuple([z.string(), z.string()]))]).optional(),
  }),
});

/** A special token is named by its content or by an object that holds it. */
const tokenNameSchema = z
  .union([z.string(), z.looseObject({ content: z.string() })])
  .nullish()
  .transform((token) => (typeof token === 'string' ? token : token?.content));

const configSchema = z.looseObject({
  added_tokens_decoder: z.record(z.string(), addedTokenSchema.omit({ id: true })).nullish(),
  bos_token: tokenNameSchema,
  eos_token: tokenNameSchema,
  pad_token: tokenNameSchema,
  unk_token: tokenNameSchema,
  additional_special_tokens: z.array(tokenNameSchema).nullish(),
  clean_up_tokenization_spaces: z.boolean().nullish(),
  chat_template: z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).nullish(),
});

/** tokenizer.json, checked; keys that are not named here are passed on to the tokenizer library. */
export interface TokenizerJson {
  added_tokens: AddedToken[];
  pre_tokenizer: Component | null;
  decoder: Component | null;
  model: z.infer<typeof tokenizerSchema>['model'];
  [key: string]: unknown;
}
type Component = z.infer<typeof componentSchema>;
/** tokenizer_config.json, checked. */
export type TokenizerConfig = z.infer<typeof configSchema>;
export type AddedToken = z.infer<typeof addedTokenSchema>;

/**
 * Checks a parsed `tokenizer.json` and completes it as the Python library does: added tokens that only
 * `tokenizer_config.json` knows are put in, its flags win, and what it names as special is.
 *
 * @throws MemGenError `tokenizer-json`.
 */
export function parseTokenizerJson(json: unknown, config: TokenizerConfig, where: string): TokenizerJson {
  const tokenizer = parse(tokenizerSchema, json, where);
  const { model } = tokenizer;
  if (model.type === undefined && model.merges !== undefined) model.type = 'BPE';
  if (model.type === 'BPE' && model.merges === undefined) {
    throw new MemGenError({
      code: 'tokenizer-json',
      where: `${where}: model`,
      message: 'a BPE model needs its merges',
    });
  }
  const addedTokens = new Map((tokenizer.added_tokens ?? []).map((token) => [token.content, token]));
  for (const [id, token] of Object.entries(config.added_tokens_decoder ?? {})) {
    const known = addedTokens.get(token.content)?.id ?? idInVocabulary(model.vocab, token.content);
    addedTokens.set(token.content, {
      ...token,
      id: known ?? parse(idSchema, Number(id), `${where}: added_tokens_decoder`),
    });
  }
  for (const content of namedSpecialTokens(config)) {
    const id = idInVocabulary(model.vocab, content);
    if (id === undefined || addedTokens.has(content)) continue;
    addedTokens.set(content, { id, content, special: true, normalized: false });
  }
  return {
    ...tokenizer,
    added_tokens: [...addedTokens.values()],
    pre_tokenizer: tokenizer.pre_tokenizer && withUnicodeParity(tokenizer.pre_tokenizer),
  };
}

/**
 * Checks a parsed `tokenizer_config.json`; special tokens it does not name are taken from `special_tokens_map.json`.
 *
 * @throws MemGenError `tokenizer-json`.
 */
export function parseTokenizerConfig(json: unknown, specialTokensMap: unknown, where: string): TokenizerConfig {
  const config = parse(configSchema, json ?? {}, where);
  const names = parse(configSchema, specialTokensMap ?? {}, where);
  return {
    ...config,
    bos_token: config.bos_token ?? names.bos_token,
    eos_token: config.eos_token ?? names.eos_token,
    pad_token: config.pad_token ?? names.pad_token,
    unk_token: config.unk_token ?? names.unk_token,
  };
}

function namedSpecialTokens(config: TokenizerConfig): string[] {
  const { bos_token, eos_token, pad_token, unk_token, additional_special_tokens: additional } = config;
  return [bos_token, eos_token, pad_token, unk_token, ...(additional ?? [])].filter((token) => token !== undefined);
}

function idInVocabulary(vocabulary: TokenizerJson['model']['vocab'], content: string): number | undefined {
  if (!Array.isArray(vocabulary)) return Object.hasOwn(vocabulary, content) ? vocabulary[content] : undefined;
  const index = vocabulary.findIndex(([piece]) => piece === content);
  return index < 0 ? undefined : index;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new MemGenError({
    code: 'tokenizer-json',
    where: [where, issue?.path.join('.')].filter(Boolean).join(': '),
    message: 'not a tokenizer that can be read',
    got: issue?.message ?? 'an unknown fault',
    expected: 'the format of the Hugging Face tokenizers library, model BPE, WordPiece or Unigram',
    hint: 'the file may be damaged, or of a kind that is not supported: compare it with the published one',
  });
}
