// Progress of training: step, loss, tokens per second, time left.
import { Progress, type ProgressOptions } from './progress.js';
import { RateMeter } from './rate-meter.js';

/** Losses of single batches jump about; what is shown is the mean of so many. */
const lossWindow = 20;

export interface TrainingStep {
  /** Optimizer steps done by now. */
  step: number;
  /** Mean loss of the step's supervised tokens. */
  loss: number;
  /** Tokens that went through the model in this step. */
  tokens: number;
}

/** Shows training steps; otherwise as {@link Progress}. */
export class TrainingProgress {
  private readonly progress: Progress;
  private readonly tokens: RateMeter;
  private readonly clock: () => number;
  private losses: number[] = [];

  constructor(options: Omit<ProgressOptions, 'label'> & { label?: string }) {
    this.clock = options.clock;
    this.tokens = new RateMeter(options.clock());
    this.progress = new Progress({ label: 'training', ...options });
  }

  advance({ step, loss, tokens }: TrainingStep): void {
    this.tokens.add(tokens, this.clock());
    this.losses = [...this.losses, loss].slice(-lossWindow);
    const mean = this.losses.reduce((sum, value) => sum + value, 0) / this.losses.length;
    this.progress.advance(step, [`loss ${mean.toFixed(3)}`, `${Math.round(this.tokens.perSecond())} tokens/s`]);
  }

  note(text: string): void {
    this.progress.note(text);
  }

  stop(): void {
    this.progress.stop();
  }
}
