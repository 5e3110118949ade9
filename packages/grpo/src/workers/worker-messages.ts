// What the main thread and a rollout worker say to each other: plain data.
import type { RandomState } from '@memgen/common';
import type { ChatTemplate, DecoderConfig } from '@memgen/core';
import type { Episode } from '../episode.js';
import type { GenerationSettings } from '../generation-settings.js';
import type { EpisodeSettings } from '../play-episodes.js';
import type { ParameterValues } from '../reference-values.js';
import type { PartName, RolloutParts } from './shared-values.js';

export interface WorkerSettings {
  /** Address of the player's module. */
  module: string;
  data: unknown;
}

/** What a worker has to play with, to be compared with what the trainer has. */
export interface PlayerFacts {
  config: DecoderConfig;
  parts: PartName[];
  shapes: Map<string, number[]>;
}

/** How tokens are drawn; the parts themselves stay where they are. */
export type DrawingSettings = Omit<GenerationSettings, keyof RolloutParts> & { groupSize: number };

export type TurnSettings = Pick<EpisodeSettings, 'maxLength' | 'maxObservationLength' | 'gathering'>;

/** Either prompts, or tasks of an environment; each is played by a group. */
export type RolloutWork =
  | { prompts: readonly (readonly number[])[] }
  | { tasks: readonly unknown[]; template?: Pick<ChatTemplate, 'kind' | 'source'>; turns: TurnSettings };

/** A part of a rollout that one worker plays. */
export interface Shard {
  /** Of the shard. */
  random: RandomState;
  /** Counts the rollouts: values of the same rollout are the same. */
  rollout: number;
  values: ParameterValues;
  drawing: DrawingSettings;
  work: RolloutWork;
}

export type WorkerRequest = { kind: 'play'; id: number; shard: Shard } | { kind: 'abort' } | { kind: 'dispose' };

/** Tasks stay with the main thread. */
export type PlayedEpisode = Episode<undefined>;

export type WorkerReply =
  | { kind: 'ready'; facts: PlayerFacts }
  | { kind: 'played'; id: number; episodes: PlayedEpisode[] }
  | { kind: 'failed'; id: number; error: ThrownError }
  | { kind: 'not-started'; error: ThrownError }
  | { kind: 'disposed' };

/** What was thrown, as far as it can be sent. */
export interface ThrownError {
  name: string;
  message: string;
  code?: string;
  stack?: string;
}

export function sendable(error: unknown): ThrownError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { name, message, ...(code !== undefined && { code }), ...(stack !== undefined && { stack }) };
}

/** As a cause of another error. */
export function received({ message, ...rest }: ThrownError): Error {
  return Object.assign(new Error(message), rest);
}
