// Where the episodes of a training run come from: prompts that are answered in one turn, or tasks in an environment.
import { type Environment, type Random } from '@memgen/common';
import type { GeneratingModel } from '@memgen/core';
import { answerPrompts, type PolicyPrompt } from './answer-prompts.js';
import type { Episode } from './episode.js';
import type { GenerationSettings } from './generation-settings.js';
import { playEpisodes, type EpisodeSettings } from './play-episodes.js';

export interface EpisodeSource<Task> {
  /** Tasks. */
  readonly size: number;
  /** Episodes of the given tasks in groups, side by side. */
  play(indices: readonly number[], random: Random): Promise<Episode<Task>[]>;
  dispose(): Promise<void>;
}

/** Tasks of many turns. */
export interface EnvironmentTasks<Task> extends Pick<
  EpisodeSettings,
  'template' | 'maxLength' | 'maxObservationLength' | 'gathering'
> {
  tasks: readonly Task[];
  /** Makes an environment; as many are made as episodes are played at a time, used again, and disposed at the end. */
  environment: () => Environment<Task>;
}

/** What a policy is trained on. */
export type PolicyTasks<Task> = readonly PolicyPrompt<Task>[] | EnvironmentTasks<Task>;

export function episodeSource<Task>(
  reasoner: GeneratingModel,
  tasks: PolicyTasks<Task>,
  settings: GenerationSettings & { groupSize: number },
): EpisodeSource<Task> {
  return 'tasks' in tasks ? environmentSource(reasoner, tasks, settings) : promptSource(reasoner, tasks, settings);
}

function promptSource<Task>(
  reasoner: GeneratingModel,
  prompts: readonly PolicyPrompt<Task>[],
  settings: GenerationSettings & { groupSize: number },
): EpisodeSource<Task> {
  return {
    size: prompts.length,
    play: (indices, random) =>
      answerPrompts(
        reasoner,
        indices.map((index) => prompts[index]!),
        random,
        settings,
      ),
    dispose: () => Promise.resolve(),
  };
}

function environmentSource<Task>(
  reasoner: GeneratingModel,
  { tasks, environment, ...limits }: EnvironmentTasks<Task>,
  settings: GenerationSettings & { groupSize: number },
): EpisodeSource<Task> {
  const environments: Environment<Task>[] = [];
  return {
    size: tasks.length,
    play(indices, random) {
      const members = indices.flatMap((index) => Array.from({ length: settings.groupSize }, () => tasks[index]!));
      while (environments.length < members.length) environments.push(environment());
      const used = environments.slice(0, members.length);
      return playEpisodes({ reasoner, tasks: members, environments: used, random, ...limits, ...settings });
    },
    dispose: async () => {
      await Promise.all(environments.splice(0).map((one) => one.dispose()));
    },
  };
}
