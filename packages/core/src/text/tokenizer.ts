// Text to token ids and back, by a model's own Hugging Face tokenizer files.
import { bytesOfToken, decodeUtf8 } from './byte-level.js';
import { cleanUpSpaces } from './clean-up-spaces.js';
import { LibraryTokenizer } from './library-tokenizer.js';
import { endTokenIds, tokenId } from './special-tokens.js';
import {
  parseTokenizerConfig,
  parseTokenizerJson,
  type TokenizerConfig,
  type TokenizerJson,
} from './tokenizer-definition.js';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.js';

/** Besides the two main files. */
export interface TokenizerExtras extends Partial<Omit<TokenizerFiles, 'tokenizerJson' | 'tokenizerConfig'>> {
  /** Shown in errors, e.g. the path of the folder. Default `"tokenizer"`. */
  where?: string;
}

/**
 * A tokenizer. Ids equal those of the Rust library for every text (lone surrogates are read as U+FFFD), and decoding
 * equals `tokenizer.decode` of transformers. Immutable; instances can be shared.
 */
export class Tokenizer {
  /** Largest id + 1. The embedding of a model may have more rows. */
  readonly vocabularySize: number;
  /** Token that ends a message: the tokenizer's own end token. Generation of the reference stops here. */
  readonly eosId: number;
  /** All ids that may end a generation: {@link eosId} first, then those of generation_config.json. */
  readonly eosIds: readonly number[];
  /** Padding; the end token where the tokenizer has none. */
  readonly padId: number;
  readonly bosId: number | undefined;
  /** Contents of the special tokens by their name in a chat template (`bos_token`, ...). */
  readonly specialTokens: Readonly<Record<string, string>>;
  /** The model's own chat template in Jinja, if it has one. */
  readonly chatTemplate: string | undefined;
  /** Every token stands for bytes whose concatenation is the text. True for Qwen, SmolLM and Llama 3. */
  readonly isByteLevel: boolean;
  /** Decoding removes spaces before punctuation (Llama 3). */
  readonly cleansUpSpaces: boolean;

  private readonly library: LibraryTokenizer;
  private readonly specialIds: ReadonlySet<number>;
  private readonly bytes: (Uint8Array | undefined)[] = [];

  private constructor(json: TokenizerJson, config: TokenizerConfig, extras: TokenizerExtras, where: string) {
    this.library = new LibraryTokenizer(json, config, where);
    this.specialIds = new Set(json.added_tokens.filter((token) => token.special).map((token) => token.id));
    this.vocabularySize = this.library.vocabularySize;
    this.isByteLevel = json.decoder?.type === 'ByteLevel';
    this.cleansUpSpaces = config.clean_up_tokenization_spaces ?? false;
    this.eosId = tokenId(this, 'eos_token', config.eos_token, where);
    this.eosIds = endTokenIds(this.eosId, extras.generationConfig, this.vocabularySize, where);
    this.padId = config.pad_token === undefined ? this.eosId : tokenId(this, 'pad_token', config.pad_token, where);
    this.bosId = config.bos_token === undefined ? undefined : tokenId(this, 'bos_token', config.bos_token, where);
    this.specialTokens = Object.fromEntries(
      (['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const).flatMap((name) => {
        const content = config[name];
        return content === undefined ? [] : [[name, content]];
      }),
    );
    this.chatTemplate = extras.chatTemplate ?? defaultTemplate(config);
  }

  /**
   * Reads a model folder: tokenizer.json (also gzipped), and where present tokenizer_config.json,
   * special_tokens_map.json, chat_template.jinja (wins over the template of the configuration) and
   * generation_config.json (further end tokens).
   *
   * @throws MemGenError `tokenizer-missing`, `tokenizer-json`, `tokenizer-size`, `tokenizer-unsupported`,
   *   `tokenizer-slow`, `special-token`.
   */
  static async fromFolder(path: string): Promise<Tokenizer> {
    const { tokenizerJson, tokenizerConfig, ...extras } = await readTokenizerFiles(path);
    return Tokenizer.fromJson(tokenizerJson, tokenizerConfig, { ...extras, where: path });
  }

  /**
   * From the parsed content of tokenizer.json and tokenizer_config.json.
   *
   * @throws MemGenError `tokenizer-json`, `tokenizer-unsupported`, `tokenizer-slow` (a regular expression that
   *   backtracks without end), `special-token`.
   */
  static fromJson(tokenizerJson: unknown, tokenizerConfig: unknown, extras: TokenizerExtras = {}): Tokenizer {
    const where = extras.where ?? 'tokenizer';
    const config = parseTokenizerConfig(tokenizerConfig, extras.specialTokensMap, where);
    return new Tokenizer(parseTokenizerJson(tokenizerJson, config, where), config, extras, where);
  }

  /**
   * @param addSpecialTokens - lets the post-processor add what it adds around a text (such as Llama 3's
   *   `<|begin_of_text|>`). Off by default: a chat template writes its special tokens itself.
   */
  encode(text: string, { addSpecialTokens = false }: { addSpecialTokens?: boolean } = {}): number[] {
    return this.library.encode(text, addSpecialTokens);
  }

  /** Ids without a token (such as rows that only pad an embedding) are left out, as transformers does. */
  decode(ids: readonly number[], { skipSpecialTokens = false }: { skipSpecialTokens?: boolean } = {}): string {
    const known = ids.filter((id) => this.tokenOf(id) !== undefined && !(skipSpecialTokens && this.isSpecial(id)));
    if (known.length === 0) return '';
    const text = this.isByteLevel
      ? decodeUtf8(Buffer.concat(known.map((id) => this.bytesOf(id))))
      : this.library.decode(known);
    return this.cleansUpSpaces ? cleanUpSpaces(text) : text;
  }

  /** The token as the vocabulary writes it (`Ġhello`), or undefined. */
  tokenOf(id: number): string | undefined {
    return this.library.tokenOf(id);
  }

  idOf(token: string): number | undefined {
    return this.library.idOf(token);
  }

  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** Bytes a token stands for, if {@link isByteLevel}; none for an id without a token. Not to be changed. */
  bytesOf(id: number): Uint8Array {
    const token = this.tokenOf(id);
    if (token === undefined) return new Uint8Array();
    return (this.bytes[id] ??= bytesOfToken(token));
  }
}

function defaultTemplate({ chat_template: template }: TokenizerConfig): string | undefined {
  if (typeof template === 'string') return template;
  return template?.find(({ name }) => name === 'default')?.template;
}
