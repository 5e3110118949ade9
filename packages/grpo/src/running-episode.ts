// One episode while it is played: its environment, and the token ids so far, which only grow.
import type { ChatMessage, Environment, Random } from '@memgen/common';
import type { ChatTemplate, GeneratedRow, Tokenizer } from '@memgen/core';
import type { Episode, EpisodeEnd, EpisodeTurn } from './episode.js';
import { cutObservation, idsAfterTurn, textAfterTurn } from './text-after-turn.js';

export interface EpisodeLimits {
  /** Most tokens in all: prompt, turns and observations. */
  maxLength: number;
  /** Most tokens of an observation. */
  maxObservationLength: number;
}

export class RunningEpisode<Task> {
  private readonly read: number[] = [];
  private readonly turns: EpisodeTurn[] = [];
  private readonly messages: ChatMessage[] = [];
  private reward = 0;
  private end: EpisodeEnd | undefined;
  private failure: string | undefined;

  constructor(
    /** Among the episodes that are played. */
    readonly index: number,
    private readonly task: Task,
    readonly environment: Environment<Task>,
    private readonly text: { tokenizer: Tokenizer; template: ChatTemplate },
    private readonly limits: EpisodeLimits,
  ) {}

  get isDone(): boolean {
    return this.end !== undefined;
  }

  /** Everything read and written so far: the prompt of the next turn. */
  get ids(): readonly number[] {
    return this.read;
  }

  /** Turns taken. */
  get turn(): number {
    return this.turns.length;
  }

  /** Tokens until the episode is too long. */
  get room(): number {
    return this.limits.maxLength - this.read.length;
  }

  async begin(random: Random, signal: AbortSignal): Promise<void> {
    const first = await this.ask(signal, () => this.environment.reset(this.task, { random, signal }));
    if (first === undefined) return;
    const { tokenizer, template } = this.text;
    this.messages.push(...first);
    this.read.push(...tokenizer.encode(template.render(first, { addGenerationPrompt: true })));
    if (this.room < 1) this.end = 'length';
  }

  /** Takes the model's next turn, cut where the episode would become too long. */
  take({ ids, augmentations, logProbabilities, text }: GeneratedRow): void {
    const { room } = this;
    const isCut = ids.length > room;
    this.turns.push({
      start: this.read.length,
      ids: ids.slice(0, room),
      augmentations: augmentations.slice(0, room),
      text: isCut ? this.text.tokenizer.decode(ids.slice(0, room), { skipSpecialTokens: true }) : text,
      ...(logProbabilities !== undefined && { logProbabilities: logProbabilities.slice(0, room) }),
    });
    this.read.push(...ids.slice(0, room));
  }

  /** Hands the last turn to the environment and appends what it answers. */
  async step(signal: AbortSignal): Promise<void> {
    const { text } = this.turns.at(-1)!;
    const answer = await this.ask(signal, () => this.environment.step(text, { signal }));
    if (answer === undefined) return;
    const { action, observation, reward, done } = answer;
    const before = [...this.messages];
    this.reward += reward;
    this.messages.push({ role: 'assistant', content: action });
    if (done) this.end = 'done';
    else if (this.turn >= this.environment.maximumTurns) this.end = 'turns';
    else if (observation === undefined) this.fail('it neither ended the episode nor gave an observation');
    else this.observe(before, observation);
  }

  result(): Episode<Task> {
    return {
      task: this.task,
      ids: this.read,
      turns: this.turns,
      end: this.end ?? 'failed',
      reward: this.end === 'failed' ? NaN : this.reward,
      messages: this.messages,
      ...(this.failure !== undefined && { failure: this.failure }),
    };
  }

  private observe(before: readonly ChatMessage[], observation: string): void {
    const { tokenizer, template } = this.text;
    const shown = cutObservation(tokenizer, observation, this.limits.maxObservationLength);
    const ids = idsAfterTurn(tokenizer, textAfterTurn(template, before, shown), this.read.at(-1));
    if (ids.length >= this.room) {
      // No room for a turn behind it.
      this.end = 'length';
      return;
    }
    this.read.push(...ids);
    this.messages.push({ role: 'user', content: shown });
  }

  /** What an environment throws ends its episode, not the run. */
  private async ask<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      this.fail(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  private fail(reason: string): void {
    this.end = 'failed';
    this.failure = reason;
  }
}
