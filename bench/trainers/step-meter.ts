// Turns what a trainer reports after each step into figures: steps and tokens a second, and where the time goes.
import type { StepReport } from '@memgen/sft';
import type { FigureInput } from '../frame/figure.js';
import { parts } from './methods.js';

export class StepMeter {
  private readonly steps: { milliseconds: number; report: StepReport }[] = [];
  private last: number;

  /** @param clock - milliseconds. */
  constructor(private readonly clock: () => number) {
    this.last = clock();
  }

  /** To be called after each step. */
  take(report: StepReport): void {
    const now = this.clock();
    this.steps.push({ milliseconds: now - this.last, report });
    this.last = now;
  }

  /** Figures of all steps but the first, which warms up. Parts that the trainer does not have are left out. */
  figures(method: string, facts: Pick<FigureInput, 'backend' | 'dtype'>): FigureInput[] {
    const counted = this.steps.slice(1);
    const rates = {
      steps: { unit: 'steps/s', amount: () => 1 },
      tokens: { unit: 'tokens/s', amount: ({ readTokens }: StepReport) => readTokens },
    };
    return [
      ...Object.entries(rates).map(([name, { unit, amount }]) => ({
        ...facts,
        measure: `${method}-${name}`,
        unit,
        samples: counted.map(({ milliseconds, report }) => (1000 * amount(report)) / milliseconds),
      })),
      ...parts.flatMap((part) => {
        const samples = counted.flatMap(({ report: { times } }) => times?.[part] ?? []);
        return samples.length === 0 ? [] : [{ ...facts, measure: `${method}-${part}`, unit: 'ms', samples }];
      }),
    ];
  }
}
