// The text of a completion as it grows: what is final is given out, what may yet change or be cut off is held back.
import { IncrementalDecoder } from '../text/incremental-decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { StopStringFinder, type StringMatch } from './stop-strings.js';

export interface CompletionTextOptions {
  /** None of them empty. */
  stopStrings: readonly string[];
  /** Whether the text goes on to the end of a stop string instead of to its start. */
  keepStopString: boolean;
  /** Whether special tokens are left out of the text, and of the search for stop strings. */
  skipSpecialTokens: boolean;
}

/**
 * Held back are the bytes of an unfinished character, spaces that the tokenizer may clean up, and what may be the
 * beginning of a stop string.
 */
export class CompletionText {
  private readonly decoder: IncrementalDecoder;
  private readonly finder: StopStringFinder;
  private readonly pieces: string[] = [];
  /** Final as text, but perhaps the beginning of a stop string. */
  private held = '';
  /** Length of the text before `held`. */
  private given = 0;
  private hasStopped = false;

  constructor(
    private readonly tokenizer: Tokenizer,
    private readonly options: CompletionTextOptions,
  ) {
    this.decoder = new IncrementalDecoder(tokenizer);
    this.finder = new StopStringFinder(options.stopStrings);
  }

  /** Everything given out so far. */
  get text(): string {
    return this.pieces.join('');
  }

  /** Whether a stop string has been found; nothing follows it. */
  get stopped(): boolean {
    return this.hasStopped;
  }

  /** @returns text that has become final with this token. */
  push(id: number): string {
    if (this.hasStopped || (this.options.skipSpecialTokens && this.tokenizer.isSpecial(id))) return '';
    this.decoder.push(id);
    const settled = this.decoder.takeFinal();
    this.held += settled;
    const match = this.finder.push(settled) ?? this.findTentative();
    if (match !== undefined) return this.stopAt(match);
    return this.give(this.held.length - this.finder.openLength);
  }

  /** @returns all that was held back: no token follows. */
  finish(): string {
    if (this.hasStopped) return '';
    this.held += this.decoder.takeFinal() + this.decoder.tentative;
    this.hasStopped = true;
    return this.give(this.held.length);
  }

  /** If generation ends with a stop string in it, the text that may still change will not. */
  private findTentative(): StringMatch | undefined {
    const { tentative } = this.decoder;
    const match = tentative === '' ? undefined : this.finder.peek(tentative);
    if (match !== undefined) this.held += tentative;
    return match;
  }

  private stopAt({ start, end }: StringMatch): string {
    this.hasStopped = true;
    return this.give((this.options.keepStopString ? end : start) - this.given);
  }

  private give(length: number): string {
    const text = this.held.slice(0, length);
    this.held = this.held.slice(length);
    this.given += length;
    if (text !== '') this.pieces.push(text);
    return text;
  }
}
