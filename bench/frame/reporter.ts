// How a job hands out its figures.
import type { FigureInput } from './figure.js';

export interface Reporter {
  figure: (figure: FigureInput) => void;
  /** Runs a measurement; if it fails, says so and goes on. */
  attempt: (name: string, work: () => Promise<void>) => Promise<void>;
}

export function createReporter(write: (line: string) => void): Reporter {
  const say = (message: object): void => {
    write(`${JSON.stringify(message)}\n`);
  };
  return {
    figure: (figure) => {
      say({ figure });
    },
    attempt: async (name, work) => {
      try {
        await work();
      } catch (error) {
        say({ failure: { name, problem: error instanceof Error ? error.message : String(error) } });
      }
    },
  };
}
