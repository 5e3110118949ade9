// Worker threads that play the rollouts, where the configuration asks for them.
import { MemGenError } from '@memgen/common';
import { reasonerPlayer, RolloutWorkers } from '@memgen/grpo';
import type { TrainingPhaseOptions } from './phase-options.js';

/** @throws MemGenError `config` for what workers cannot do yet, and those of starting them. */
export async function startRolloutWorkers({
  experiment,
  reasoner,
  parts,
  task,
}: Pick<TrainingPhaseOptions, 'experiment' | 'reasoner' | 'parts' | 'task'>): Promise<RolloutWorkers | undefined> {
  const { workers, promptsPerShard } = experiment.training.grpo;
  if (workers === undefined) return undefined;
  if (task.policy.environment !== undefined || experiment.reasoner.revision !== undefined) {
    throw new MemGenError({
      code: 'config',
      where: 'training.grpo.workers',
      message: 'workers play rollouts of one turn, with a model that is found without a revision',
      got: task.policy.environment === undefined ? 'reasoner.revision' : experiment.data.task,
      expected: 'no workers here',
    });
  }
  const { weaver, trigger, adapter } = parts;
  const isAdapter = experiment.training.train === 'adapter';
  return RolloutWorkers.start({
    workers,
    shardSize: promptsPerShard,
    player: reasonerPlayer({
      model: reasoner.origin.source,
      ...(weaver !== undefined &&
        !isAdapter && {
          weaver: {
            module: import.meta.resolve('@memgen/weaver'),
            name: 'LatentWeaver',
            // Values come with each rollout; only the sizes matter.
            config: {
              promptLatents: weaver.latentCounts.prompt,
              inferenceLatents: weaver.latentCounts.inference,
              lora: weaver.adapter.config,
            },
          },
        }),
      ...(trigger !== undefined &&
        !isAdapter && {
          trigger: {
            module: import.meta.resolve('@memgen/trigger'),
            name: 'LanguageModelTrigger',
            config: { lora: trigger.adapter.config },
          },
        }),
      ...(adapter !== undefined && isAdapter && { adapter: adapter.config }),
    }),
  });
}
