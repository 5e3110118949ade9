// Plays shards in a worker, one after the other, with the values that come with them.
import { MemGenError, Random } from '@memgen/common';
import { ChatTemplate } from '@memgen/core';
import { restoreValues } from '@memgen/sft';
import { answerPrompts } from '../answer-prompts.js';
import { EnvironmentShelf } from '../environment-shelf.js';
import type { Episode } from '../episode.js';
import { playEpisodes } from '../play-episodes.js';
import type { RolloutPlayer } from './rollout-player.js';
import { namesOfParts, ownValues, partParameters, shapesOf } from './shared-values.js';
import type { PlayedEpisode, PlayerFacts, RolloutWork, Shard } from './worker-messages.js';

export class ShardPlayer {
  private readonly shelf: EnvironmentShelf<unknown>;
  /** Whose values the parts have. */
  private rollout: number | undefined;

  constructor(private readonly player: RolloutPlayer) {
    this.shelf = new EnvironmentShelf(player.environment);
  }

  get facts(): PlayerFacts {
    return {
      config: this.player.reasoner.decoder.config,
      parts: namesOfParts(this.player),
      shapes: shapesOf(partParameters(this.player)),
    };
  }

  /** @throws MemGenError `rollout-template`, `episode-environment`, those of `generate`; the signal's reason when aborted. */
  async play({ rollout, values, ...shard }: Shard, signal: AbortSignal): Promise<PlayedEpisode[]> {
    if (this.rollout !== rollout) {
      restoreValues(ownValues(values), partParameters(this.player));
      this.rollout = rollout;
    }
    const episodes = await this.episodes(shard, signal);
    signal.throwIfAborted();
    return episodes.map((episode) => ({ ...episode, task: undefined }));
  }

  async dispose(): Promise<void> {
    await this.shelf.dispose();
    await this.player.dispose?.();
  }

  private async episodes(
    { random: state, drawing, work }: Omit<Shard, 'rollout' | 'values'>,
    signal: AbortSignal,
  ): Promise<Episode<unknown>[]> {
    const { reasoner, weaver, trigger, adapter } = this.player;
    const random = Random.fromState(state);
    const settings = { ...drawing, weaver, trigger, adapter, signal };
    if ('prompts' in work) {
      const prompts = work.prompts.map((ids) => ({ ids, task: undefined }));
      return answerPrompts(reasoner, prompts, random, settings);
    }
    const tasks = work.tasks.flatMap((task) => Array.from({ length: drawing.groupSize }, () => task));
    const environments = this.shelf.take(tasks.length);
    const template = this.templateOf(work);
    try {
      return await playEpisodes({ reasoner, tasks, environments, random, template, ...work.turns, ...settings });
    } catch (error) {
      // Some may still be at work on what was given up.
      await this.shelf.dispose();
      throw error;
    }
  }

  private templateOf({ template: expected }: Exclude<RolloutWork, { prompts: unknown }>): ChatTemplate {
    const { template = ChatTemplate.chatMl() } = this.player;
    const { kind, source } = expected ?? ChatTemplate.chatMl();
    if (kind === template.kind && source === template.source) return template;
    throw new MemGenError({
      code: 'rollout-template',
      message: 'the player of the workers has another chat template than the tasks',
      got: template.kind === kind ? 'another source' : template.kind,
      expected: kind,
      hint: 'give both the same `template`',
    });
  }
}
