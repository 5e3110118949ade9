// The tokenizer library behind a guard: what a tokenizer.json of unknown origin makes of it ends in an error, not in a hang.
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { MemGenError } from '@memgen/common';
import type { TokenizerConfig, TokenizerJson } from './tokenizer-definition.js';
import { isKnownPattern } from './known-patterns.js';
import { TimeLimitError, withTimeLimit } from './time-limit.js';

/** Ordinary tokenizers take about a microsecond for a character. */
const limitMilliseconds = 1000;
const limitPerCharacter = 0.02;

/** A text in which each kind of step has something to do. */
const sample = "Hello, it's 12 \u00bd\n\n  x\u00e9<|x|>";

/** Encoding and decoding by the rules of one tokenizer.json. */
export class LibraryTokenizer {
  /** All ids are below it. */
  readonly vocabularySize: number;
  private readonly library: HuggingFaceTokenizer;
  /** Whether it may take exponential time. */
  private readonly isSuspicious: boolean;

  /** @throws MemGenError `tokenizer-unsupported`, `tokenizer-slow`. */
  constructor(
    json: TokenizerJson,
    config: TokenizerConfig,
    private readonly where: string,
  ) {
    this.isSuspicious = json.model.type !== 'BPE' || findPatterns(json).some((pattern) => !isKnownPattern(pattern));
    this.library = this.guard(0, () => new HuggingFaceTokenizer(json, config));
    let largest = -1;
    for (const id of this.library.get_vocab().values()) largest = Math.max(largest, id);
    this.vocabularySize = largest + 1;
    // Some faults show only when it is used: better now than in the middle of a run.
    this.encode(sample, true);
    if (largest >= 0) this.decode([largest]);
  }

  encode(text: string, addSpecialTokens: boolean): number[] {
    return this.guard(text.length, () => this.library.encode(text, { add_special_tokens: addSpecialTokens }).ids);
  }

  decode(ids: number[]): string {
    return this.guard(ids.length, () => this.library.decode(ids, { clean_up_tokenization_spaces: false }));
  }

  tokenOf(id: number): string | undefined {
    return this.library.id_to_token(id);
  }

  idOf(token: string): number | undefined {
    return this.library.token_to_id(token);
  }

  private guard<Result>(size: number, action: () => Result): Result {
    try {
      return this.isSuspicious
        ? withTimeLimit(limitMilliseconds + Math.ceil(limitPerCharacter * size), action, { patience: 4 })
        : action();
    } catch (error) {
      const isSlow = error instanceof TimeLimitError;
      throw new MemGenError({
        code: isSlow ? 'tokenizer-slow' : 'tokenizer-unsupported',
        where: this.where,
        message: isSlow
          ? 'a step of the tokenizer runs without end'
          : 'the tokenizer uses something that is not supported',
        got: error instanceof Error ? error.message : String(error),
        hint: isSlow
          ? 'its regular expressions are damaged or hostile: compare tokenizer.json with the published one'
          : 'report it with the name of the model',
        cause: error,
      });
    }
  }
}

/** All regular expressions of the steps, wherever they stand. */
function findPatterns({ normalizer, pre_tokenizer, post_processor, decoder }: TokenizerJson): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('Regex' in value) found.push(String(value.Regex));
    for (const inner of Object.values(value)) visit(inner);
  };
  visit([normalizer, pre_tokenizer, post_processor, decoder]);
  return found;
}
