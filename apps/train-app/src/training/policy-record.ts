// What a run keeps of training by reward: metrics by TRL's names, and what the policy wrote.
import type { Episode, PolicyStepReport, Rollout } from '@memgen/grpo';
import { readMetrics } from '@memgen/runs';
import type { TrainingPhaseOptions } from './phase-options.js';

type RecordOptions = Pick<TrainingPhaseOptions, 'experiment' | 'reasoner' | 'parts' | 'run' | 'onStep'>;

export class PolicyRecord {
  /** Tokens of all rollouts so far, prompts included: TRL's num_tokens. */
  private tokens: number;

  constructor(private readonly options: RecordOptions) {
    const known = readMetrics(options.run.path).findLast((record) => typeof record['train/num_tokens'] === 'number');
    this.tokens = known?.['train/num_tokens'] ?? 0;
  }

  take({ step, loss, gradientNorm, learningRate, readTokens, metrics, rollout }: PolicyStepReport<unknown>): void {
    const { run, experiment, parts, onStep } = this.options;
    const { iterations, samplesPerStep } = experiment.training.grpo;
    // A rollout is reported with each optimizer step over it, and counted with the first.
    const isFresh = (step - 1) % iterations === 0;
    if (isFresh) this.tokens += readTokens;
    const named = Object.entries(metrics).map(([name, value]): [string, number] => [`train/${name}`, value]);
    run.appendMetrics(step, {
      'train/loss': loss,
      'train/grad_norm': gradientNorm,
      'train/learning_rate': learningRate,
      'train/num_tokens': this.tokens,
      ...Object.fromEntries(named),
    });
    if (isFresh) run.appendSamples(step, this.samples(rollout, samplesPerStep));
    const { reward, weave_rate: weaveRate } = metrics;
    onStep({
      step,
      loss,
      tokens: isFresh ? readTokens : 0,
      ...(reward !== undefined && { reward }),
      // Without a trigger it is always all of them.
      ...(weaveRate !== undefined && parts.trigger !== undefined && { weaveRate }),
    });
  }

  private samples({ episodes, rewards }: Rollout<unknown>, count: number) {
    const { tokenizer } = this.options.reasoner;
    const text = (ids: readonly number[]) => tokenizer.decode(ids, { skipSpecialTokens: true });
    return episodes.slice(0, count).map((episode, i) => {
      const start = episode.turns[0]?.start ?? episode.ids.length;
      const reward = rewards[i]!;
      return {
        prompt: text(episode.ids.slice(0, start)),
        completion: text(episode.ids.slice(start)),
        reward: Number.isFinite(reward) ? reward : null,
        tokens: episode.turns.reduce((sum, { ids }) => sum + ids.length, 0),
        turns: episode.turns.length,
        ...decisionsOf(episode),
      };
    });
  }
}

function decisionsOf({ turns }: Episode<unknown>): { woven: number; decisions: number } {
  const places = turns.flatMap(({ augmentations }) => augmentations.filter((place) => place !== -100));
  return { woven: places.filter((place) => place === 1).length, decisions: places.length };
}
