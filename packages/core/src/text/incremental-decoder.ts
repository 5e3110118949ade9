// Decodes token by token, so that text can be looked at after each one without decoding everything again.
import { decodeUtf8, incompleteSuffixLength } from './byte-level.js';
import { cleanUpSpaces, settledLength } from './clean-up-spaces.js';
import type { Tokenizer } from './tokenizer.js';

/** How much of the end {@link IncrementalDecoder.ending} shows, in UTF-16 code units. */
const endingLength = 16;

/**
 * The text of a growing list of ids: after every push, `text` equals `tokenizer.decode` of all ids so far; bytes of a
 * character that is not complete yet show as U+FFFD until it is. Each push costs amortised constant time with a
 * byte-level tokenizer; with others everything is decoded again.
 */
export class IncrementalDecoder {
  /** Text that no later token changes. */
  private settled = '';
  /** End of `settled`, apart: a slice of the whole would make the engine copy it at every token. */
  private settledEnding = '';
  /** End of `settled` that {@link IncrementalDecoder.takeFinal} has not handed out yet; byte-level tokenizers only. */
  private fresh = '';
  /** Length of the text handed out so far; other tokenizers only. */
  private taken = 0;
  /** Text after it, decoded but still open to the clean-up of spaces. */
  private open = '';
  /** Bytes of an unfinished character. */
  private pending: Uint8Array = new Uint8Array();
  private readonly ids: number[] = [];

  constructor(private readonly tokenizer: Tokenizer) {}

  /** @returns the text so far. */
  push(id: number): string {
    if (!this.tokenizer.isByteLevel) {
      this.ids.push(id);
      this.settled = this.tokenizer.decode(this.ids);
      this.settledEnding = this.settled.slice(-endingLength);
      return this.settled;
    }
    const bytes = this.pendingWith(id);
    const complete = bytes.length - incompleteSuffixLength(bytes);
    this.pending = bytes.subarray(complete);
    this.append(decodeUtf8(bytes.subarray(0, complete)));
    return this.text;
  }

  get text(): string {
    return this.settled + this.unsettled();
  }

  /**
   * The last characters of {@link text} (at most 16): what a test for delimiters needs, without building the whole.
   */
  get ending(): string {
    return (this.settledEnding + this.unsettled()).slice(-endingLength);
  }

  /** Text that no later token changes, without what earlier calls have returned. */
  takeFinal(): string {
    if (this.tokenizer.isByteLevel) {
      const { fresh } = this;
      this.fresh = '';
      return fresh;
    }
    const end = Math.max(this.taken, this.finalLength());
    const text = this.settled.slice(this.taken, end);
    this.taken = end;
    return text;
  }

  /** What follows the final text: the next tokens may change it. */
  get tentative(): string {
    return this.tokenizer.isByteLevel ? this.unsettled() : this.settled.slice(this.finalLength());
  }

  /** What `id` would add to the text if it came next; nothing is changed. */
  peek(id: number): string {
    if (this.tokenizer.isByteLevel) return decodeUtf8(this.pendingWith(id));
    return this.tokenizer.decode([...this.ids, id]).slice(this.settled.length);
  }

  private append(text: string): void {
    if (!this.tokenizer.cleansUpSpaces) {
      this.settle(text);
      return;
    }
    const open = this.open + text;
    const cut = settledLength(open);
    this.settle(cleanUpSpaces(open.slice(0, cut)));
    this.open = open.slice(cut);
  }

  private settle(text: string): void {
    this.settled += text;
    this.fresh += text;
    this.settledEnding = (this.settledEnding + text).slice(-endingLength);
  }

  /** How much of a text that was decoded as a whole will stay: unfinished characters end it as U+FFFD. */
  private finalLength(): number {
    let end = this.settled.length;
    while (this.settled[end - 1] === '\ufffd') end--;
    return this.tokenizer.cleansUpSpaces ? settledLength(this.settled.slice(0, end)) : end;
  }

  private unsettled(): string {
    if (this.open === '' && this.pending.length === 0) return '';
    const text = this.open + decodeUtf8(this.pending);
    return this.tokenizer.cleansUpSpaces ? cleanUpSpaces(text) : text;
  }

  private pendingWith(id: number): Uint8Array {
    const added = this.tokenizer.bytesOf(id);
    return this.pending.length === 0 ? added : Buffer.concat([this.pending, added]);
  }
}
