// Reinforcement learning of a weaver, a trigger or an adapter, as a phase of a run.
import { MemGenError, type Logger } from '@memgen/common';
import {
  parameterValues,
  trainAdapterGrpo,
  trainTriggerGrpo,
  trainWeaverGrpo,
  type PolicyTasks,
  type PolicyTrainingOptions,
  type TriggerGrpoOptions,
} from '@memgen/grpo';
import { CheckpointFolder, loadTrainingState, restoreValues, saveTrainingState } from '@memgen/sft';
import type { Experiment } from '../config/load-experiment.js';
import { writeParts } from '../parts/checkpoint-content.js';
import { weavingOf } from '../parts/weaving.js';
import { adamWOf, checkpointsOf, scheduleOf } from './optimizer-settings.js';
import { PolicyRecord } from './policy-record.js';
import { startRolloutWorkers } from './rollout-workers.js';
import type { TrainingPhaseOptions, TrainingPhaseOutcome } from './phase-options.js';
import { weightedRewards } from './weighted-rewards.js';

export async function runGrpoPhase(options: TrainingPhaseOptions): Promise<TrainingPhaseOutcome> {
  const { experiment, parts, run, now } = options;
  const { training } = experiment;
  const policy = training.train === 'weaver' ? parts.weaver! : training.train === 'trigger' ? parts.trigger! : parts.adapter!; // prettier-ignore
  const parameters = policy.parameters();
  // The parts are as the run began, whether it is resumed or not.
  const reference = training.grpo.beta === 0 ? undefined : await parameterValues(parameters);
  const folder = new CheckpointFolder(checkpointsOf(training, run, now));
  const newest = await folder.open();
  const resume = newest && (await loadTrainingState(newest.path));
  if (resume !== undefined) restoreValues(resume.values, parameters);

  const tasks = policyTasks(options);
  const size = 'tasks' in tasks ? tasks.tasks.length : tasks.length;
  const steps = policySteps(training, size);
  options.onStart(steps, resume?.step ?? 0);
  const record = new PolicyRecord(options);
  const settings: PolicyTrainingOptions<unknown> = {
    ...objectiveOf(training),
    ...weightedRewards(experiment, options.task.policy),
    steps,
    batchSize: training.batchSize,
    gradientCheckpointing: training.gradientCheckpointing,
    schedule: scheduleOf(training, steps),
    adamW: adamWOf(training),
    clipNorm: training.clipNorm,
    seed: experiment.seed,
    logger: sayingOnce(options.onNote),
    clock: now,
    signal: options.signal,
    onStep: (report) => {
      record.take(report);
    },
    checkpoint: {
      due: (step) => folder.due(step),
      save: (step, optimizer) =>
        folder.save(step, async (path) => {
          await saveTrainingState(path, step, optimizer, parameters);
          await writeParts(path, options);
        }),
    },
    ...(reference !== undefined && { reference }),
    ...(resume !== undefined && { resume }),
  };
  const rollouts = await startRolloutWorkers(options);
  try {
    const { step, complete } = await train(options, tasks, { ...settings, rollouts });
    return { step, complete, weightsOf: step };
  } finally {
    await rollouts?.dispose();
  }
}

function train(
  { experiment, reasoner, parts }: TrainingPhaseOptions,
  tasks: PolicyTasks<unknown>,
  settings: PolicyTrainingOptions<unknown>,
) {
  const { train, grpo } = experiment.training;
  const { temperature, maxCompletionLength } = grpo;
  const sampling = { maxCompletionLength, ...(temperature !== undefined && { temperature }) };
  if (train === 'adapter') return trainAdapterGrpo(reasoner, parts.adapter!, tasks, { ...settings, ...sampling });
  const weaving = weavingOf(experiment, { hasTrigger: parts.trigger !== undefined });
  const generation = {
    ...sampling,
    ...weaving,
    ...(grpo.maxInferencePoints !== undefined && { maxInferencePoints: grpo.maxInferencePoints }),
  };
  if (train === 'weaver') {
    const trigger = parts.trigger === undefined ? {} : { trigger: parts.trigger };
    return trainWeaverGrpo(reasoner, parts.weaver!, tasks, { ...settings, ...generation, ...trigger });
  }
  return trainTriggerGrpo(reasoner, parts.trigger!, tasks, {
    ...settings,
    ...generation,
    weaver: parts.weaver!,
    triggerTemperature: grpo.triggerTemperature,
    allowUntrainedWeaver: grpo.allowUntrainedWeaver,
    ...penaltyOf(grpo),
  });
}

/** What is wrong with a rollout is often wrong with the next one too, and need not be said again. */
function sayingOnce(say: (text: string) => void): Logger {
  let last = '';
  const once = (text: string) => {
    const matter = text.replace(/^step \d+: /, '');
    if (matter !== last) say(text);
    last = matter;
  };
  return { debug: () => undefined, info: once, warn: once };
}

/** Prompts in tokens, or tasks of an environment. */
function policyTasks({ experiment, reasoner, template, task }: TrainingPhaseOptions): PolicyTasks<unknown> {
  const { rows, environment } = task.policy;
  if (rows.length === 0) {
    throw new MemGenError({
      code: 'data-empty',
      where: 'data',
      message: 'the task has no rows for training by reward',
    });
  }
  if (environment === undefined) {
    return rows.map(({ messages, task }) => ({
      ids: reasoner.tokenizer.encode(template.render(messages, { addGenerationPrompt: true })),
      task,
    }));
  }
  const { maxEpisodeLength, maxObservationLength, gathering } = experiment.training.grpo;
  return {
    tasks: rows.map(({ task }) => task),
    environment,
    template,
    gathering,
    maxLength: maxEpisodeLength,
    ...(maxObservationLength !== undefined && { maxObservationLength }),
  };
}

/** Whole rollouts, all prompts so often as there are epochs. */
function policySteps({ epochs, maxSteps = Infinity, grpo }: Experiment['training'], prompts: number): number {
  const perStep = grpo.promptsPerStep ?? (grpo.completionsPerStep ?? 4 * grpo.groupSize) / grpo.groupSize;
  const rollouts = Math.ceil(Math.ceil(prompts / perStep) * epochs);
  return Math.min(maxSteps, rollouts * grpo.iterations);
}

function objectiveOf({ grpo }: Experiment['training']): Partial<PolicyTrainingOptions<unknown>> {
  const { promptsPerStep, completionsPerStep, epsilonHigh, delta, patience } = grpo;
  return {
    groupSize: grpo.groupSize,
    iterations: grpo.iterations,
    beta: grpo.beta,
    epsilon: grpo.epsilon,
    lossType: grpo.lossType,
    scaleRewards: grpo.scaleRewards,
    importanceSampling: grpo.importanceSampling,
    maskTruncatedCompletions: grpo.maskTruncatedCompletions,
    maxCompletionLength: grpo.maxCompletionLength,
    ...(promptsPerStep !== undefined && { promptsPerStep }),
    ...(completionsPerStep !== undefined && { completionsPerStep }),
    ...(epsilonHigh !== undefined && { epsilonHigh }),
    ...(delta !== undefined && { delta }),
    ...(patience !== undefined && { patience }),
  };
}

function penaltyOf({ penalty }: Experiment['training']['grpo']): Pick<TriggerGrpoOptions<unknown>, 'penalty'> {
  if (penalty === undefined) return {};
  const { lambda, scope, highRewardQuantile: highReward = 'group-mean' } = penalty;
  return { penalty: { lambda, scope, highReward } };
}
