// One row of a generation: what it has been given and has chosen so far.
import { Random } from '@memgen/common';
import { endsWithDelimiter } from '../text/delimiter.js';
import { IncrementalDecoder } from '../text/incremental-decoder.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { CompletionText } from './completion-text.js';
import type { GenerateOptions } from './generate-options.js';
import type { Augmentation, FinishReason, GeneratedRow, GeneratedToken } from './generated-row.js';
import { logSumExpOf, topTokens, type TokenProbability } from './log-probabilities.js';
import { sampleToken } from './sampler.js';
import type { PartTimes, RowTrace, TracedPoint } from './trace.js';

/** Characters before a point that a trace shows. */
const shownText = 200;

/** Chance of a row: draws of the trigger do not change those of the tokens. */
interface RowStreams {
  tokens: Random;
  trigger: Random;
}

export class GenerationRow {
  readonly streams: RowStreams;
  private readonly ids: number[] = [];
  private readonly augmentations: Augmentation[] = [];
  private readonly logProbabilities: number[] = [];
  private readonly topLogProbabilities: TokenProbability[][] = [];
  private readonly completion: CompletionText;
  /** Prompt and completion, for the delimiters at which latents are woven in. */
  private readonly context: IncrementalDecoder | undefined;
  /** Tokens of prompt and completion, for the repetition penalty. */
  private readonly seen: Set<number> | undefined;
  private readonly endIds: ReadonlySet<number>;
  /** The end of that text, before the last token. */
  private endingBefore = '';
  /** Times that latents were woven into the completion. */
  private inferencePoints = 0;
  /** Latents so far. */
  private latents = 0;
  /** Tokens before the latents that were woven in last. */
  private lastWoven = -Infinity;
  private readonly steps: RowTrace = { points: [] };
  private end: FinishReason | undefined;

  constructor(
    /** In the results. */
    readonly index: number,
    readonly prompt: readonly number[],
    tokenizer: Tokenizer,
    private readonly options: GenerateOptions,
    /** Most positions of the row: prompt, latents and new tokens. */
    private readonly positions: number,
  ) {
    const { stopStrings = [], keepStopString = false, skipSpecialTokens = true } = options;
    this.streams = streamsOf(index, options);
    this.endIds = new Set(options.endIds ?? tokenizer.eosIds);
    this.completion = new CompletionText(tokenizer, { stopStrings, keepStopString, skipSpecialTokens });
    if ((options.sampling?.repetitionPenalty ?? 1) !== 1) this.seen = new Set(prompt);
    if (options.weaver === undefined) return;
    this.context = new IncrementalDecoder(tokenizer);
    for (const id of prompt) this.context.push(id);
  }

  get isDone(): boolean {
    return this.end !== undefined;
  }

  /** The last token, of the prompt at first. */
  get lastId(): number {
    return this.ids.at(-1) ?? this.prompt.at(-1)!;
  }

  /** New tokens. */
  get length(): number {
    return this.ids.length;
  }

  /** The end of prompt and completion, for a reader. */
  get precedingText(): string {
    return this.context?.text.slice(-shownText) ?? '';
  }

  /** Whether latents may be woven in before the next token. */
  get isAtPoint(): boolean {
    if (this.context === undefined || this.isDone || !this.hasRoomForLatents) return false;
    if (this.ids.length === 0) return true;
    const {
      maxInferencePoints = 5,
      minimumPointDistance = 1,
      weaveAt = 'prompt-and-inference',
      delimiterRule = 'reference',
    } = this.options;
    if (weaveAt === 'prompt' || this.inferencePoints >= maxInferencePoints) return false;
    if (this.ids.length - this.lastWoven < minimumPointDistance) return false;
    return endsWithDelimiter(this.context.ending, delimiterRule, this.endingBefore);
  }

  /** Chooses the next token. @param logits - `[vocabulary]`, borrowed. */
  choose(logits: Float32Array, augmentation: Augmentation): GeneratedToken {
    const { sampling = {}, maxNewTokens, logProbabilities = false, topLogProbabilities = 0 } = this.options;
    const id = sampleToken(logits, sampling, this.streams.tokens, this.seen);
    if (augmentation === 1) {
      this.latents += this.latentsHere;
      if (this.ids.length > 0) this.inferencePoints++;
      this.lastWoven = this.ids.length;
    }
    this.ids.push(id);
    this.augmentations.push(augmentation);
    this.seen?.add(id);
    if (this.context !== undefined) {
      this.endingBefore = this.context.ending;
      this.context.push(id);
    }

    const isEnd = this.endIds.has(id);
    let text = isEnd ? '' : this.completion.push(id);
    if (isEnd) this.end = 'end';
    else if (this.completion.stopped) this.end = 'stop';
    else if (this.ids.length === maxNewTokens || this.taken >= this.positions) this.end = 'length';
    if (this.end !== undefined) text += this.completion.finish();

    const token: GeneratedToken = { row: this.index, id, text, augmentation };
    if (this.end !== undefined) token.finished = this.end;
    if (!logProbabilities && topLogProbabilities === 0) return token;
    const normalizer = logSumExpOf(logits);
    if (logProbabilities) {
      token.logProbability = logits[id]! - normalizer;
      this.logProbabilities.push(token.logProbability);
    }
    if (topLogProbabilities > 0) {
      token.topLogProbabilities = topTokens(logits, topLogProbabilities, normalizer);
      this.topLogProbabilities.push(token.topLogProbabilities);
    }
    return token;
  }

  /** Positions that are taken. */
  private get taken(): number {
    return this.prompt.length + this.latents + this.ids.length;
  }

  /** Latents that would be woven in before the next token. */
  private get latentsHere(): number {
    return this.options.weaver?.latentCounts[this.ids.length === 0 ? 'prompt' : 'inference'] ?? 0;
  }

  /** Whether a token can follow latents that are woven in here. */
  private get hasRoomForLatents(): boolean {
    return this.taken + this.latentsHere < this.positions;
  }

  /** Notes a step for the trace. */
  trace(point: TracedPoint | undefined, time: PartTimes | undefined): void {
    if (point !== undefined) this.steps.points.push(point);
    if (time === undefined) return;
    const sum = (this.steps.milliseconds ??= { trigger: 0, weaver: 0, reasoner: 0 });
    for (const part of ['trigger', 'weaver', 'reasoner'] as const) sum[part] += time[part];
  }

  /** Ends the row where it stands. */
  abort(): void {
    if (this.isDone) return;
    this.end = 'aborted';
    this.completion.finish();
  }

  result(): GeneratedRow {
    const { logProbabilities = false, topLogProbabilities = 0, trace = false } = this.options;
    return {
      ids: this.ids,
      text: this.completion.text,
      augmentations: this.augmentations,
      finished: this.end ?? 'length',
      ...(logProbabilities && { logProbabilities: this.logProbabilities }),
      ...(topLogProbabilities > 0 && { topLogProbabilities: this.topLogProbabilities }),
      ...(trace && { trace: this.steps }),
    };
  }
}

function streamsOf(index: number, { random = Random.fromSeed(0), seeds }: GenerateOptions): RowStreams {
  const seed = seeds?.[index];
  if (seed === undefined) {
    return { tokens: random.fork(`row ${index}`), trigger: random.fork(`trigger of row ${index}`) };
  }
  const own = Random.fromSeed(seed);
  return { tokens: own.fork('tokens'), trigger: own.fork('trigger') };
}
