// Progress of training: step, loss or reward, tokens per second, memory, time left.
import { Progress, type ProgressOptions } from './progress.js';
import { RateMeter } from './rate-meter.js';

/** Losses and rewards of single batches jump about; what is shown is the mean of so many. */
const window = 20;

export interface TrainingStep {
  /** Optimizer steps done by now. */
  step: number;
  /** Mean loss of the step's supervised tokens. */
  loss: number;
  /** Mean reward of the step's completions, where there are any: it is shown instead of the loss. */
  reward?: number;
  /** Share of the points at which latents went in, where a trigger decides. */
  weaveRate?: number;
  /** Tokens that went through the model in this step. */
  tokens: number;
}

export interface TrainingProgressOptions extends Omit<ProgressOptions, 'label'> {
  /** @default "training" */
  label?: string;
  /** Bytes that the process takes at the moment, e.g. `process.memoryUsage.rss`. Not shown without it. */
  memory?: () => number;
}

/** Shows training steps; otherwise as {@link Progress}. */
export class TrainingProgress {
  private readonly progress: Progress;
  private readonly tokens: RateMeter;
  private readonly clock: () => number;
  private readonly memory: (() => number) | undefined;
  private values: number[] = [];
  private weaveRates: number[] = [];

  constructor({ memory, ...options }: TrainingProgressOptions) {
    this.clock = options.clock;
    this.memory = memory;
    this.tokens = new RateMeter(options.clock());
    this.progress = new Progress({ label: 'training', ...options });
  }

  advance({ step, loss, reward, weaveRate, tokens }: TrainingStep): void {
    this.tokens.add(tokens, this.clock());
    this.values = [...this.values, reward ?? loss].slice(-window);
    if (weaveRate !== undefined) this.weaveRates = [...this.weaveRates, weaveRate].slice(-window);
    const memory = this.memory === undefined ? [] : [`${Math.round(this.memory() / 2 ** 20)} MiB`];
    this.progress.advance(step, [
      `${reward === undefined ? 'loss' : 'reward'} ${mean(this.values).toFixed(3)}`,
      ...(this.weaveRates.length === 0 ? [] : [`weaves ${(100 * mean(this.weaveRates)).toFixed(0)} %`]),
      `${Math.round(this.tokens.perSecond())} tokens/s`,
      ...memory,
    ]);
  }

  note(text: string): void {
    this.progress.note(text);
  }

  stop(): void {
    this.progress.stop();
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
