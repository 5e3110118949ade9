// Where the episodes of a training run come from: prompts that are answered in one turn, or tasks in an environment.
import type { Environment, Random } from '@memgen/common';
import type { GeneratingModel } from '@memgen/core';
import { answerPrompts, type PolicyPrompt } from './answer-prompts.js';
import { EnvironmentShelf } from './environment-shelf.js';
import type { Episode } from './episode.js';
import type { GenerationSettings } from './generation-settings.js';
import { playEpisodes, type EpisodeSettings } from './play-episodes.js';
import type { RolloutRequest, RolloutWorkers } from './workers/rollout-workers.js';

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
  /**
   * Makes an environment; as many are made as episodes are played at a time, used again, and disposed at the end. Not
   * needed with `rollouts`, whose players have their own.
   */
  environment?: () => Environment<Task>;
}

/** What a policy is trained on. */
export type PolicyTasks<Task> = readonly PolicyPrompt<Task>[] | EnvironmentTasks<Task>;

type SourceSettings = GenerationSettings & { groupSize: number };

/** @param rollouts - workers that play the episodes. @default this thread does */
export function episodeSource<Task>(
  reasoner: GeneratingModel,
  tasks: PolicyTasks<Task>,
  settings: SourceSettings,
  rollouts?: RolloutWorkers,
): EpisodeSource<Task> {
  if (rollouts !== undefined) return workerSource(reasoner, tasks, settings, rollouts);
  return 'tasks' in tasks ? environmentSource(reasoner, tasks, settings) : promptSource(reasoner, tasks, settings);
}

function promptSource<Task>(
  reasoner: GeneratingModel,
  prompts: readonly PolicyPrompt<Task>[],
  settings: SourceSettings,
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
  settings: SourceSettings,
): EpisodeSource<Task> {
  const shelf = new EnvironmentShelf(environment);
  return {
    size: tasks.length,
    play(indices, random) {
      const members = indices.flatMap((index) => Array.from({ length: settings.groupSize }, () => tasks[index]!));
      const environments = shelf.take(members.length);
      return playEpisodes({ reasoner, tasks: members, environments, random, ...limits, ...settings });
    },
    dispose: () => shelf.dispose(),
  };
}

/** The workers outlive the training; whoever started them disposes them. */
function workerSource<Task>(
  { decoder }: GeneratingModel,
  work: PolicyTasks<Task>,
  { weaver, trigger, adapter, ...drawing }: SourceSettings,
  rollouts: RolloutWorkers,
): EpisodeSource<Task> {
  const tasks = 'tasks' in work ? work.tasks : work.map(({ task }) => task);
  const workOf = (indices: readonly number[]): RolloutRequest['work'] => {
    if (!('tasks' in work)) return { prompts: indices.map((index) => work[index]!.ids) };
    const { template, maxLength, maxObservationLength, gathering } = work;
    return {
      tasks: indices.map((index) => work.tasks[index]!),
      ...(template && { template: { kind: template.kind, source: template.source } }),
      turns: {
        ...(maxLength !== undefined && { maxLength }),
        ...(maxObservationLength !== undefined && { maxObservationLength }),
        ...(gathering !== undefined && { gathering }),
      },
    };
  };
  return {
    size: tasks.length,
    async play(indices, random) {
      const parts = { weaver, trigger, adapter };
      const episodes = await rollouts.play({ decoder, parts, drawing, work: workOf(indices), random });
      return episodes.map((episode, i) => ({
        ...episode,
        task: tasks[indices[Math.floor(i / drawing.groupSize)]!]!,
      }));
    },
    dispose: () => Promise.resolve(),
  };
}
