// The loop that trains any policy by reward: rollouts, judgement, optimizer steps, checkpoints, interruption.
import { MemGenError, Random, silentLogger, type Logger } from '@memgen/common';
import { AdamW } from '@memgen/core';
import { DataOrder, runTrainingLoop, type StepGradients, type StepTimer, type TrainingOutcome } from '@memgen/sft';
import type { EpisodeSource } from './episode-source.js';
import { PolicyBatches } from './policy-batches.js';
import { checkPolicyTraining, promptsOfStep, type PolicyTrainingOptions } from './policy-training-options.js';
import type { Policy, PolicyRow } from './policy.js';
import { parameterValues, type ParameterValues } from './reference-values.js';
import { judgeRollout, type Rollout } from './rollout.js';

/**
 * Trains the parameters of a policy in place. Sampling depends on the seed and the step alone: with the same tasks and
 * rewards the result is the same, interrupted or not.
 * @throws MemGenError `grpo-options`, `group-size`, `grpo-no-signal` when patience ends, and those of the objective.
 */
export async function trainPolicy<Task, Row extends PolicyRow>(
  policy: Policy<Row>,
  source: EpisodeSource<Task>,
  options: PolicyTrainingOptions<Task> & { learningRate: number },
): Promise<TrainingOutcome> {
  const { iterations = 1, steps, seed = 0, patience = Infinity, logger = silentLogger, signal, resume } = options;
  const promptsPerStep = promptsOfStep(options);
  checkPolicyTraining(options, { prompts: source.size, promptsPerStep });
  const random = Random.fromSeed(seed);
  const order = new DataOrder({ rows: source.size, batchSize: promptsPerStep, random: random.fork('prompts') });
  const batches = new PolicyBatches(policy, options, await referenceOf(policy, options));
  const optimizer = new AdamW(policy.parameters(), options.adamW);
  let rollout: Rollout<Task> | undefined;
  let rows: readonly Row[] = [];
  let metrics: Record<string, number> = {};
  let fruitless = 0;

  const gradients = async (step: number, timer: StepTimer): Promise<StepGradients> => {
    if (rollout === undefined || step % iterations === 0) {
      const at = Math.floor(step / iterations);
      const episodes = await source.play(order.batch(at), random.fork(`rollout ${at}`));
      timer.lap('rollout');
      rollout = await judgeRollout(episodes, options);
      timer.lap('reward');
      rollout.obstacle ??= policy.obstacle?.(episodes);
      report(logger, step, rollout);
      fruitless = rollout.obstacle === undefined ? 0 : fruitless + 1;
      if (fruitless >= patience) throw noSignal(fruitless, rollout.obstacle!, step);
      const { advantages, rewards, counts } = rollout;
      const judged = episodes.map((episode, i) =>
        policy.row({ episode, advantage: advantages[i]!, reward: rewards[i]!, counts: counts[i]! }),
      );
      rows = await batches.withOtherPolicies(judged);
    }
    const result = await batches.gradients(rows, timer);
    metrics = { ...rollout.metrics, ...result.metrics };
    const readTokens = rollout.episodes.reduce((sum, { ids }) => sum + ids.length, 0);
    return { loss: result.loss, tokens: result.tokens, gradients: result.gradients, readTokens };
  };

  // Between the iterations over a rollout there is no state that a later run could go on from.
  const stop = new AbortController();
  const stopIfAsked = (step: number) => {
    if (signal?.aborted === true && step % iterations === 0) stop.abort();
  };
  try {
    if (resume !== undefined) optimizer.importState(resume.optimizerState);
    const firstStep = resume?.step ?? 0;
    stopIfAsked(firstStep);
    const { checkpoint, clipNorm, learningRate, clock } = options;
    return await runTrainingLoop({
      steps,
      firstStep,
      schedule: options.schedule ?? { kind: 'cosine', peak: learningRate, warmup: Math.ceil(0.1 * steps) },
      optimizer,
      gradients,
      signal: stop.signal,
      clock,
      onStep: async (report) => {
        const times = Object.entries(report.times ?? {}).map(([part, time]): [string, number] => [
          `time/${part}`,
          time,
        ]);
        await options.onStep?.({ ...report, metrics: { ...metrics, ...Object.fromEntries(times) }, rollout: rollout! });
        stopIfAsked(report.step);
      },
      ...(clipNorm !== undefined && { clipNorm }),
      ...(checkpoint !== undefined && {
        checkpoint: {
          due: (step: number) => step % iterations === 0 && checkpoint.due(step),
          save: (step: number) => checkpoint.save(step, optimizer),
        },
      }),
    });
  } finally {
    optimizer.dispose();
    await source.dispose();
  }
}

async function referenceOf<Task, Row extends PolicyRow>(
  policy: Policy<Row>,
  { beta = 0, reference }: PolicyTrainingOptions<Task>,
): Promise<ParameterValues | undefined> {
  if (beta === 0) return undefined;
  if (reference === undefined) return parameterValues(policy.parameters());
  return 'parameters' in reference ? parameterValues(reference.parameters()) : reference;
}

function report<Task>(logger: Logger, step: number, { obstacle, failures, completions }: Rollout<Task>): void {
  const first = failures[0];
  if (first !== undefined) {
    const failed = new Set(failures.map(({ completion }) => completion)).size;
    const share = `${failed} of ${completions.length} completions have no reward`;
    logger.warn(`step ${step}: ${share}; "${first.function}" of completion ${first.completion}: ${first.reason}`);
  }
  if (obstacle !== undefined) logger.warn(`step ${step}: nothing to learn: ${obstacle}`);
}

function noSignal(rollouts: number, obstacle: string, step: number): MemGenError {
  return new MemGenError({
    code: 'grpo-no-signal',
    where: `step ${step}`,
    message: `${rollouts} rollouts in a row had nothing to teach: ${obstacle}`,
    hint: 'check the reward on some completions by hand, raise the temperature or groupSize, or start from a better model',
  });
}
